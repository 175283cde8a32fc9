//! Outbound calls whose client follows a redirect that fails: the first service has counted them.

use actix_throttle::Outgoing;

use super::{AMPLE, Peer, client, memory, nobody};

/// Redirects that end in an error before anything else is sent: to a closed port, to another
/// scheme, and to no URL.
fn locations() -> [String; 3] {
    let closed = format!("http://{}/", nobody());
    [closed, "ftp://127.0.0.1/".to_owned(), "//[".to_owned()]
}

/// A path of the [`Peer`] that redirects to `location`.
fn redirect(location: &str) -> String {
    format!("/302?location={location}")
}

#[actix_web::test]
async fn reqwest_call_that_was_redirected_stays_charged() {
    let (peer, limiter) = (Peer::start().await, memory().await);
    let client = client(Outgoing::new(&limiter).limit(AMPLE));
    for location in locations() {
        let _ = client.get(peer.url(&redirect(&location))).send().await;
    }
    assert_eq!(peer.calls(), 3);
    assert_eq!(limiter.remaining(&AMPLE, peer.host()).await.unwrap(), 97);
}

#[actix_web::test]
async fn awc_call_that_was_redirected_stays_charged() {
    let (peer, limiter) = (Peer::start().await, memory().await);
    let outgoing = Outgoing::new(&limiter).limit(AMPLE);
    let client = awc::Client::default();
    for location in locations() {
        let request = client.get(peer.url(&redirect(&location)));
        let _ = outgoing.send(request, |request| request.send()).await;
    }
    assert_eq!(peer.calls(), 3);
    assert_eq!(limiter.remaining(&AMPLE, peer.host()).await.unwrap(), 97);
}

/// The default: the client may follow redirects, and its errors do not say that it did not.
#[actix_web::test]
async fn call_that_may_have_been_redirected_stays_charged() {
    let limiter = memory().await;
    let outgoing = Outgoing::new(&limiter).limit(AMPLE);
    let address = nobody();
    let url = format!("http://{address}/");
    let failed = client(outgoing.clone()).get(&url).send().await;
    assert!(failed.is_err());
    let request = awc::Client::default().get(&url);
    let failed = outgoing.send(request, |request| request.send()).await;
    assert!(failed.is_err());
    assert_eq!(limiter.remaining(&AMPLE, address).await.unwrap(), 98);
}

/// Both clients check the URL before they connect.
#[actix_web::test]
async fn call_to_an_invalid_url_is_refunded() {
    let limiter = memory().await;
    let outgoing = Outgoing::new(&limiter).limit(AMPLE);
    let failed = client(outgoing.clone()).get("ftp://peer/").send().await;
    assert!(failed.is_err());
    let request = awc::Client::default().get("ftp://peer/");
    let failed = outgoing.send(request, |request| request.send()).await;
    assert!(failed.is_err());
    assert_eq!(limiter.remaining(&AMPLE, "peer").await.unwrap(), 100);
}
