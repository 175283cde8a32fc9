//! A settlement changes the charge, as the response and the next requests show.

use super::routes;
use harness::http::app::TestApp;

#[actix_web::test]
async fn second_extraction_settles_nothing() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/twice").await;
    assert_eq!(
        (answer.text(), answer.remaining()),
        ("(true, false)", Some(80))
    );
}

#[actix_web::test]
async fn estimate_of_nothing_is_charged_at_the_settlement() {
    let service = TestApp::new().await.service(routes).await;
    for remaining in [70, 40, 10, 0, 0] {
        let answer = service.get("/free").await;
        assert_eq!(
            (answer.text(), answer.remaining()),
            ("true", Some(remaining))
        );
    }
}

#[actix_web::test]
async fn uncharged_request_has_nothing_to_settle() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/skipped").await;
    assert_eq!((answer.status, answer.text()), (200, "0 true"));
    assert!(answer.is_unlimited());
    assert_eq!(service.get("/bare/5").await.text(), "0 true");
    assert_eq!(service.get("/one").await.remaining(), Some(93));
}
