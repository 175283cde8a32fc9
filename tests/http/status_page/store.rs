//! The store on the page: its size in this process.

use actix_throttle::{Enforcement, RateLimiter};
use actix_web::App;
use harness::http::app::{TestApp, TestService};

use super::{LOGIN, Page, looking, routes};

#[actix_web::test]
async fn keys_and_evictions_of_the_store_are_shown() {
    let page = Page::of(TestApp::with(|builder| builder.max_keys(10)).await).await;
    for number in 0..4 {
        page.tries(&LOGIN, &format!("client {number}"), 1).await;
    }
    let text = page.look("").await.text().to_owned();
    assert!(
        text.contains("In-memory store") && text.contains("4 keys"),
        "{text}"
    );
    assert!(!text.contains("evicted"), "{text}");
    for number in 0..32 {
        page.tries(&LOGIN, &format!("client {number}"), 1).await;
    }
    for admin in ["full", "read"] {
        let text = page.look_as(admin, "").await.text().to_owned();
        assert!(text.contains("10 keys"), "{text}");
        assert!(text.contains("22 evicted to make room"), "{text}");
    }
    let store = page.look("?format=json").await.json()["store"].clone();
    assert_eq!(
        (&store["keys"], &store["evictions"]),
        (&10.into(), &22.into())
    );
    let snapshot = page.limiter().snapshot();
    assert_eq!((snapshot.store.keys, snapshot.store.evictions), (10, 22));
}

#[actix_web::test]
async fn limiter_without_a_store_says_so() {
    let builder = RateLimiter::builder().enforcement(Enforcement::Off);
    let limiter = builder.build().await.expect("it needs no store");
    let service = TestService::of(App::new().app_data(limiter).configure(routes)).await;
    let overview = service.send(looking("", "full")).await;
    assert!(overview.text().contains("No store"), "{}", overview.text());
    assert!(!overview.text().contains("Redis"), "{}", overview.text());
    let json = service.send(looking("?format=json", "full")).await.json();
    assert_eq!(
        (&json["store"]["kind"], &json["store"]["keys"]),
        (&"none".into(), &0.into())
    );
}
