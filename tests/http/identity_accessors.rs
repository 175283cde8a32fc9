//! Accessors of identities, and the addresses of clients.

use actix_throttle::{Identity, IdentityKind, Limit, rate_limit};
use actix_web::{HttpRequest, get};

use harness::http::app::{TestApp, get as from_client, get_from};

#[actix_web::test]
async fn identity_says_what_it_is() {
    let network = |text: &str| Some(text.parse().unwrap());
    for (identity, kind, name, value, address) in [
        (Identity::global(), IdentityKind::Global, None, None, None),
        (
            Identity::ip("2001:db8::7".parse().unwrap()),
            IdentityKind::Client,
            None,
            None,
            network("2001:db8::"),
        ),
        (
            Identity::new("42"),
            IdentityKind::User,
            None,
            Some("42"),
            None,
        ),
        (
            Identity::header("X-Key", "a").context("room"),
            IdentityKind::Header,
            Some("x-key"),
            Some("a"),
            None,
        ),
        (
            Identity::cookie("Sid", "a"),
            IdentityKind::Cookie,
            Some("Sid"),
            Some("a"),
            None,
        ),
        (
            Identity::path("id", [0xff]),
            IdentityKind::Path,
            Some("id"),
            None,
            None,
        ),
        (
            Identity::query("q", ""),
            IdentityKind::Query,
            Some("q"),
            Some(""),
            None,
        ),
        (
            Identity::session("42"),
            IdentityKind::Session,
            Some("user"),
            Some("42"),
            None,
        ),
        (
            Identity::token("42"),
            IdentityKind::Token,
            Some("sub"),
            Some("42"),
            None,
        ),
    ] {
        assert_eq!(identity.kind(), kind);
        assert_eq!(identity.source_name(), name, "{kind:?}");
        assert_eq!(identity.value_text(), value, "{kind:?}");
        assert_eq!(identity.address(), address, "{kind:?}");
        assert!(!identity.is_unidentified(), "{kind:?}");
    }
    let rooms = Identity::new("42").context("room").context("7");
    assert_eq!(
        (rooms.context_key(), rooms.value_text()),
        (Some("7"), Some("42"))
    );
    assert_eq!(Identity::new("42").context_key(), None);
}

/// A `dynamic` function that chooses by the identity it receives.
fn by_whom(_: &HttpRequest, whom: &Identity) -> Option<Limit> {
    let known = if whom.is_unidentified() { 1 } else { 5 };
    assert_eq!(whom.kind(), IdentityKind::Header);
    assert_eq!(whom.address().is_some(), whom.is_unidentified());
    Some(Limit::per_minute(known))
}

#[get("/dynamic")]
#[rate_limit("9/minute", identifier = header("X-Api-Key"), dynamic = by_whom)]
async fn dynamic() -> &'static str {
    "ok"
}

#[actix_web::test]
async fn dynamic_can_tell_the_unidentified() {
    let test_app = TestApp::new().await;
    let service = test_app
        .service(|config| {
            config.service(dynamic);
        })
        .await;
    let nobody = service.get("/dynamic").await;
    assert_eq!(nobody.quota(), Some([1, 0, 60]));
    let known = from_client("/dynamic").insert_header(("X-Api-Key", "k"));
    assert_eq!(service.send(known).await.quota(), Some([5, 4, 60]));
}

#[actix_web::test]
async fn client_address_is_that_which_is_counted() {
    let test_app = TestApp::with(|builder| builder.trusted_proxies(["10.0.0.0/8"]).unwrap()).await;
    for (peer, forwarded, expected) in [
        ("192.0.2.9", "203.0.113.7", "192.0.2.9"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "garbage", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::7", "2001:db8::7"),
    ] {
        let request = get_from(peer, "/").insert_header(("X-Forwarded-For", forwarded));
        let address = test_app.limiter.client_address(&request.to_http_request());
        assert_eq!(
            address,
            Some(expected.parse().unwrap()),
            "{peer} {forwarded}"
        );
    }
    let nowhere = actix_web::test::TestRequest::get().to_http_request();
    assert_eq!(test_app.limiter.client_address(&nowhere), None);
}
