//! Decisions: of handlers, of the middleware, by hand, and without an identity.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_throttle::{Identifier, Limit, Paths, Rule, Throttle, Unidentified};
use actix_web::{App, HttpResponse};

use super::{Heard, observed, routes};
use harness::http::app::{TestApp, TestService, get};

#[actix_web::test]
async fn decisions_of_handlers_are_told_by_limit() {
    let (test_app, heard) = observed().await;
    let service = test_app.service(routes).await;
    for (path, expected) in [
        ("/one", &["one allowed by store: 0 left"][..]),
        ("/one", &["one denied by store: 0 left"]),
        (
            "/two",
            &[
                "hour allowed by store: 7 left",
                "minute allowed by store: 0 left",
                "tried allowed by store: 0 left",
            ],
        ),
        // The hour had room, and has neither admitted nor denied the request.
        ("/two", &["minute denied by store: 0 left"]),
        ("/shadow", &["shadow allowed by store: 0 left"]),
        ("/shadow", &["shadow shadow_denied by store: 0 left"]),
        ("/blocked", &["blocked allowed by store: 0 left"]),
        ("/blocked", &["blocked blocked by store: 0 left"]),
        ("/inside", &["inside allowed by store: 0 left"]),
        ("/inside", &["inside denied by store: 0 left"]),
        (
            "/refunded",
            &["refunded allowed by store: 1 left", "refunded refunded 2"],
        ),
        (
            "/running",
            &[
                "running held",
                "running allowed by store: 0 left",
                "running released after 0ns",
            ],
        ),
    ] {
        service.get(path).await;
        let mut told = heard.take();
        told.sort();
        let mut expected: Vec<_> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(told, expected, "{path}");
    }
}

#[actix_web::test]
async fn decisions_of_the_middleware_are_told() {
    let (test_app, heard) = observed().await;
    let api = Limit::per_minute(1).name("api");
    let throttle = Throttle::new()
        .paths(Paths::all(), [Rule::new(api)])
        .expect("valid rules");
    let service = test_app.behind(throttle, routes).await;
    service.get("/one").await;
    let told = [
        "api allowed by store: 0 left",
        "one allowed by store: 0 left",
    ];
    assert_eq!(heard.take(), told);
    service.get("/one").await;
    assert_eq!(heard.take(), ["api denied by store: 0 left"]);
}

#[actix_web::test]
async fn decisions_by_hand_are_told_and_peeks_are_not() {
    let (test_app, heard) = observed().await;
    let limiter = &test_app.limiter;
    let (first, second) = (Limit::per_minute(2).name("a"), Limit::per_hour(2).name("b"));
    limiter.check(&first, "ann").await.expect("decided");
    assert_eq!(heard.take(), ["a allowed by store: 1 left"]);
    let all = [(&first, "ann"), (&second, "ann")];
    limiter.check_all(&all).await.expect("decided");
    let told = ["a allowed by store: 0 left", "b allowed by store: 1 left"];
    assert_eq!(heard.take(), told);
    limiter.peek(&first, "ann").await.expect("decided");
    limiter.remaining(&first, "ann").await.expect("decided");
    assert!(heard.take().is_empty());
    let hour = Duration::from_secs(3600);
    limiter.reset(&first, "ann").await.expect("reset");
    limiter.block(&first, "ann", hour).await.expect("blocked");
    limiter.unblock(&first, "ann").await.expect("unblocked");
    let told = [
        "a changed: Reset",
        "a changed: Block(3600s)",
        "a changed: Unblock",
    ];
    assert_eq!(heard.take(), told);
}

#[actix_web::test]
async fn request_without_an_identity_is_told_once_it_is_rejected() {
    let heard = Arc::new(Heard::default());
    let observer = Arc::clone(&heard);
    let test_app = TestApp::with(|builder| {
        builder
            .observer(observer)
            .on_unidentified(|_| HttpResponse::Unauthorized().finish())
    });
    let service = test_app.await.service(routes).await;
    assert_eq!(service.get("/key").await.status, 401);
    assert_eq!(heard.take(), ["key unidentified by local: - left"]);

    let observer = Arc::clone(&heard);
    let counted = TestApp::with(|builder| {
        builder
            .observer(observer)
            .on_unidentified(|_| Unidentified::CountByIp)
    });
    let service = counted.await.service(routes).await;
    assert_eq!(service.get("/key").await.status, 200);
    assert_eq!(heard.take(), ["key allowed by store: 2 left"]);
}

#[actix_web::test]
async fn decision_of_a_rule_by_hand_is_told() {
    let (test_app, heard) = observed().await;
    let rules = [Rule::new(Limit::per_minute(1).name("rule")).identifier(Identifier::ip())];
    let request = get("/").to_http_request();
    for expected in [
        "rule allowed by store: 0 left",
        "rule denied by store: 0 left",
    ] {
        let decided = test_app.limiter.check_request(&request, &rules).await;
        assert!(decided.expect("decided").is_some());
        assert_eq!(heard.take(), [expected]);
    }
}

/// A denial is a response like any other: it passes the middleware outside of the handler.
#[actix_web::test]
async fn denial_passes_the_middleware_outside() {
    let counted = Arc::new(Mutex::new(Vec::new()));
    let statuses = Arc::clone(&counted);
    let (test_app, _) = observed().await;
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(routes)
        .wrap_fn(move |request, service| {
            use actix_web::dev::Service;
            let statuses = Arc::clone(&statuses);
            let response = service.call(request);
            async move {
                let response = response.await?;
                let status = response.status().as_u16();
                statuses.lock().expect("no panic").push(status);
                Ok(response)
            }
        });
    let service = TestService::of(app).await;
    assert_eq!(service.statuses("/one", 2).await, [200, 429]);
    assert_eq!(*counted.lock().expect("no panic"), [200, 429]);
}
