//! Shadow entries, which count and never deny.

use std::collections::BTreeMap;

use actix_throttle::{Limit, Paths, Rule, Throttle};
use actix_web::HttpResponse;

use super::throttle::{anything, by_headers, user};
use harness::http::app::{TestApp, get_from};

fn shadow(regex: &str) -> Paths {
    Paths::regex(regex).expect("a regex").shadow()
}

fn rule(times: u32) -> Rule {
    Rule::new(Limit::per_minute(times))
}

#[actix_web::test]
async fn shadow_entry_counts_beside_the_one_that_decides() {
    let throttle = Throttle::new()
        .paths(shadow("^/towns").name("candidate"), [rule(2)])
        .and_then(|throttle| throttle.paths("^/towns", [rule(5)]))
        .expect("entries");
    let test_app = TestApp::new().await;
    let service = test_app.behind(throttle, anything).await;
    for remaining in (0..5).rev() {
        // The response does not show the shadow limit.
        assert_eq!(
            service.get("/towns").await.quota(),
            Some([5, remaining, 60])
        );
    }
    assert_eq!(
        test_app.limiter.shadow_denials(),
        BTreeMap::from([("candidate", 3)])
    );
    // A denied request is not counted by the shadow entry.
    assert_eq!(service.get("/towns").await.status, 429);
    assert_eq!(test_app.limiter.shadow_denials()["candidate"], 3);
}

#[actix_web::test]
async fn shadow_entry_alone_never_denies() {
    let throttle = Throttle::new().paths(shadow("^/"), [rule(1), rule(9).group("a")]);
    let test_app = TestApp::new().await;
    let service = test_app.behind(throttle.expect("an entry"), anything).await;
    for _ in 0..4 {
        assert!(service.get("/").await.is_unlimited());
    }
    service.send(get_from("192.0.2.2", "/")).await;
    assert_eq!(
        test_app.limiter.shadow_denials(),
        BTreeMap::from([("^/", 3)])
    );
}

#[actix_web::test]
async fn shadow_entries_have_the_semantics_of_groups() {
    let rules = [rule(1), rule(2).group("pro"), Rule::unlimited("admin")];
    let throttle = Throttle::new()
        .identifier(by_headers)
        .paths(shadow("^/"), rules);
    let test_app = TestApp::new().await;
    let service = test_app.behind(throttle.expect("an entry"), anything).await;
    for group in ["none", "pro", "admin"] {
        for _ in 0..3 {
            assert_eq!(service.send(user(group, group, "/")).await.status, 200);
        }
    }
    let counts = BTreeMap::from([("^/", 2), ("^/-2", 1)]);
    assert_eq!(test_app.limiter.shadow_denials(), counts);
}

#[actix_web::test]
async fn shadow_entry_admits_the_unidentified() {
    let throttle = Throttle::new()
        .paths(shadow("^/"), [rule(1).identifier(by_headers)])
        .and_then(|throttle| throttle.paths("^/own", [rule(1).identifier(by_headers)]))
        .expect("entries")
        .on_unidentified(|_: &actix_web::HttpRequest| HttpResponse::Unauthorized().finish());
    let service = TestApp::new().await.behind(throttle, anything).await;
    assert_eq!(service.get("/").await.status, 200);
    // An enforced entry refuses it.
    assert_eq!(service.get("/own").await.status, 401);
}

#[actix_web::test]
async fn shadow_limit_in_an_entry_in_force() {
    let throttle = Throttle::new()
        .paths(
            "^/",
            [
                rule(3),
                Rule::new(Limit::per_minute(1).name("tighter").shadow()),
            ],
        )
        .expect("an entry");
    let test_app = TestApp::new().await;
    let service = test_app.behind(throttle, anything).await;
    assert_eq!(service.statuses("/", 4).await, [200, 200, 200, 429]);
    assert_eq!(
        test_app.limiter.shadow_denials(),
        BTreeMap::from([("tighter", 2)])
    );
}
