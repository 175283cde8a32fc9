//! Sessions that say nothing or nonsense: none causes a 500, and none identifies a user.

use actix_web::HttpResponse;
use serde_json::json;

use super::{BY_SESSION, by_sessions, made_by_hand, report, routes, session};
use harness::http::app::{TestApp, get, get_from};

#[actix_web::test]
async fn session_without_user_is_unidentified() {
    let service = by_sessions().await.service(routes).await;
    let mut left = 2_u64;
    let nobody = [
        json!(""),
        json!(null),
        json!(1.5),
        json!(false),
        json!(["ann"]),
        json!({ "id": 42 }),
    ];
    for user in nobody
        .map(|user| vec![("user", user)])
        .into_iter()
        .chain([vec![("group", json!("admin"))]])
    {
        let session = session(&service, &user).await;
        let answer = service.send(get("/report").cookie(session)).await;
        left = left.saturating_sub(1);
        assert_eq!(answer.remaining(), Some(left), "{user:?}");
    }
    // A request without a session, or with an invented one, shares that counter.
    for cookie in ["", "id=", "id=made-up", "id=%ff%fe", "id; =;"] {
        let answer = service
            .send(get("/report").insert_header(("Cookie", cookie)))
            .await;
        assert_eq!(answer.status, 429, "{cookie}");
    }
    let other = service.send(get_from("192.0.2.2", "/report")).await;
    assert_eq!(other.quota(), Some([2, 1, 60]));
}

#[actix_web::test]
async fn invalid_group_is_unidentified_and_still_limited() {
    let test_app = TestApp::with(|builder| {
        let builder = builder.identifier(&BY_SESSION);
        builder.on_unidentified(|_| HttpResponse::Unauthorized().finish())
    })
    .await;
    let service = test_app.service(routes).await;
    for (group, status) in [
        (json!(["admin"]), 401),
        (json!({}), 401),
        (json!(true), 401),
        (json!(""), 200),
        (json!(null), 200),
        (json!(7), 200),
    ] {
        let session = session(
            &service,
            &[("user", json!(group.to_string())), ("group", group.clone())],
        )
        .await;
        let answer = service.send(get("/report").cookie(session)).await;
        assert_eq!(answer.status, status, "{group}");
    }
}

/// Every request is unidentified without the session middleware.
#[actix_web::test]
async fn no_middleware_is_no_500() {
    let test_app = by_sessions().await;
    let service = test_app.service(|config| {
        config.service(report);
    });
    assert_eq!(service.await.statuses("/report", 3).await, [200, 200, 429]);
}

/// A session store returns what was stored, and some may hold values that are not JSON.
#[actix_web::test]
async fn session_of_anything_is_no_500() {
    let service = by_sessions().await.service(routes).await;
    for raw in [
        "",
        "ann",
        "{",
        "\"ann",
        "\u{0}",
        "1e999",
        "nul",
        "\"\\ud800\"",
    ] {
        for values in [
            [("user", raw), ("group", "1")],
            [("user", "1"), ("group", raw)],
        ] {
            let answer = service
                .send(get("/report").cookie(made_by_hand(&values)))
                .await;
            let is_nobody = answer.number("X-RateLimit-Limit") == Some(2);
            assert!(
                is_nobody && [200, 429].contains(&answer.status),
                "{raw:?} {answer:?}"
            );
        }
    }
}
