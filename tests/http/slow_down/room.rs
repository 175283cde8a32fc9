//! Room for delayed requests: how many may wait at a time, and their turns.

use futures_util::FutureExt;

use super::{delayed, routes, send};
use harness::http::app::{TestApp, is_waiting};

#[actix_web::test]
async fn several_requests_are_delayed_at_a_time() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    service.statuses("/slow", 2).await;
    let (third, mut fourth) = (send(&service, "/slow").await, send(&service, "/slow").await);
    test_app.after_millis(200);
    assert_eq!(third.await.status, 200);
    assert!(is_waiting(&mut fourth).await);
    test_app.after_millis(200);
    assert_eq!(fourth.await.status, 200);
}

#[actix_web::test]
async fn delayed_requests_are_bounded_and_denials_uncounted() {
    let test_app = TestApp::with(|builder| builder.max_waiting(2)).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/cost?2").await.status, 200);
    let (first, mut second) = (
        send(&service, "/cost?1").await,
        send(&service, "/cost?1").await,
    );
    let denied = service.get("/cost?1").now_or_never().expect("no delay");
    assert_eq!((denied.status, denied.retry_after()), (429, Some(1)));
    assert_eq!(denied.remaining(), Some(5), "its charge was refunded");
    test_app.after_seconds(1);
    assert_eq!(first.await.status, 200);
    // There is room for another one, which is the third that counts.
    let mut third = send(&service, "/cost?1").await;
    test_app.after_seconds(1);
    assert_eq!((&mut second).await.status, 200);
    assert!(is_waiting(&mut third).await);
    test_app.after_seconds(2);
    assert_eq!(third.await.remaining(), Some(4));
}

#[actix_web::test]
async fn without_room_to_wait_a_delay_is_a_denial() {
    let test_app = TestApp::with(|builder| builder.max_waiting(0)).await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/slow", 3).await, [200, 200, 429]);
    let denied = service.get("/slow").await;
    assert_eq!(
        (denied.remaining(), denied.retry_after()),
        (Some(4), Some(60))
    );
    let detail = denied.json()["detail"].to_string();
    assert!(
        detail.ends_with("has no room for this request.\""),
        "{detail}"
    );
}

#[actix_web::test]
async fn client_that_leaves_makes_room_and_stays_counted() {
    let test_app = TestApp::with(|builder| builder.max_waiting(1)).await;
    let service = test_app.service(routes).await;
    service.statuses("/slow", 2).await;
    let leaves = send(&service, "/slow").await;
    assert_eq!(service.get("/slow").await.status, 429);
    drop(leaves);
    let answer = delayed(&test_app, &service, "/slow", 400).await;
    assert_eq!((answer.status, answer.remaining()), (200, Some(2)));
}

#[actix_web::test]
async fn request_waits_for_room_before_it_is_delayed() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/wait").await.status, 200);
    test_app.after_seconds(30);
    delayed(&test_app, &service, "/wait", 1_000).await;
    let mut third = send(&service, "/wait").await;
    test_app.after_seconds(29);
    assert!(
        is_waiting(&mut third).await,
        "its turn has come, and its delay begins"
    );
    test_app.after_seconds(1);
    assert_eq!(third.await.status, 200);
}
