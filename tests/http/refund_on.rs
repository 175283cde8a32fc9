//! `refund_on` in the attribute: statuses of responses that are not counted.

use actix_throttle::{StatusSet, rate_limit};
use actix_web::{
    HttpRequest, HttpResponse, Responder, get,
    http::StatusCode,
    web::{self, ServiceConfig},
};

use harness::http::app::TestApp;

/// Responds with the status that the request asks for.
fn asked(request: &HttpRequest) -> HttpResponse {
    let status = request.match_info().query("status").parse();
    HttpResponse::new(status.expect("a status"))
}

#[get("/failures/{status}")]
#[rate_limit("3/minute", refund_on = "5xx, 404, 420-422")]
async fn failures(request: HttpRequest) -> HttpResponse {
    asked(&request)
}

#[get("/stacked/{status}")]
#[rate_limit("9/hour")]
#[rate_limit("3/minute", refund_on = "2xx, 3xx", name = "wrong", cost = two)]
async fn stacked(request: HttpRequest) -> HttpResponse {
    asked(&request)
}

fn two(_: &HttpRequest) -> u32 {
    2
}

#[get("/number/{number}")]
#[rate_limit("3/minute", refund_on = "404")]
async fn number(number: web::Path<u32>) -> impl Responder {
    number.to_string()
}

fn routes(config: &mut ServiceConfig) {
    config.service((failures, stacked, number));
}

#[actix_web::test]
async fn only_other_responses_are_counted() {
    let service = TestApp::new().await.service(routes).await;
    for status in [500, 503, 599, 404, 420, 421, 422] {
        let answer = service.get(&format!("/failures/{status}")).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.quota(), Some([3, 3, 0]), "{status}");
    }
    for (status, remaining) in [(400, 2), (419, 1), (423, 0)] {
        let answer = service.get(&format!("/failures/{status}")).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.quota(), Some([3, remaining, 60]), "{status}");
    }
    assert_eq!(service.get("/failures/500").await.status, 429);
}

#[actix_web::test]
async fn each_attribute_refunds_for_itself() {
    let service = TestApp::new().await.service(routes).await;
    for _ in 0..5 {
        let answer = service.get("/stacked/204").await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.quota(), Some([3, 3, 0]));
    }
    // The hourly limit refunds nothing.
    assert_eq!(service.statuses("/stacked/204", 1).await, [204]);
    assert_eq!(
        service.get("/stacked/204").await.quota(),
        Some([9, 2, 3600])
    );
    assert_eq!(service.get("/stacked/401").await.remaining(), Some(1));
    let denied = service.get("/stacked/200").await;
    assert_eq!(denied.status, 429);
    assert_eq!(
        denied.json()["violated-policies"],
        serde_json::json!(["wrong"])
    );
}

#[actix_web::test]
async fn a_failed_extraction_is_a_response_too() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/number/x").await;
    assert_eq!((answer.status, answer.remaining()), (404, Some(3)));
    assert_eq!(service.get("/number/5").await.remaining(), Some(2));
}

/// The attribute and the parser of the runtime agree on a list of statuses.
#[test]
fn runtime_reads_status_sets_like_the_attribute() {
    let statuses: StatusSet = "5xx, 404, 420-422".parse().expect("the list of `failures`");
    let codes = (100..600)
        .filter(|code| StatusCode::from_u16(*code).is_ok_and(|status| statuses.contains(status)));
    let expected = [404, 420, 421, 422].into_iter().chain(500..600);
    assert!(codes.eq(expected));
}
