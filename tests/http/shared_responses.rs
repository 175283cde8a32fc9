//! The response of an error is the one that an attribute gives, whatever its body is.

use actix_throttle::{Decision, Limit, RateLimiter, RequestError, rate_limit};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    body::to_bytes,
    get,
    http::StatusCode,
    test::TestRequest,
    web::{Bytes, ServiceConfig},
};
use futures_util::stream;

use harness::http::app::TestApp;

const INSIDE: Limit = Limit::per_minute(1).name("inside");

#[get("/attribute")]
#[rate_limit("1/minute")]
async fn attribute() -> &'static str {
    "ok"
}

#[get("/inside")]
async fn inside(request: HttpRequest, limiter: RateLimiter) -> Result<&'static str, RequestError> {
    limiter.enforce(&request, &INSIDE, "ann").await?;
    Ok("ok")
}

fn routes(config: &mut ServiceConfig) {
    config.service((attribute, inside));
}

fn streams(_: &HttpRequest, _: &Decision) -> HttpResponse {
    let parts = ["too ", "many"].map(|part| Ok::<_, actix_web::Error>(Bytes::from(part)));
    HttpResponse::build(StatusCode::IM_A_TEAPOT).streaming(stream::iter(parts))
}

#[actix_web::test]
async fn streamed_denial_is_sent_as_the_attributes() {
    let test_app = TestApp::with(|builder| builder.on_limited(streams)).await;
    let service = test_app.service(routes).await;
    for path in ["/attribute", "/inside"] {
        assert_eq!(service.get(path).await.status, 200);
        let denied = service.get(path).await;
        assert_eq!((denied.status, denied.text()), (418, "too many"), "{path}");
    }
}

#[actix_web::test]
async fn streamed_body_is_in_the_first_response_or_in_the_error() {
    let test_app = TestApp::with(|builder| builder.on_limited(streams)).await;
    let request = TestRequest::get().to_http_request();
    let denied = async || {
        let decided = test_app.limiter.enforce(&request, &INSIDE, "bob").await;
        decided.err()
    };
    assert!(denied().await.is_none());
    let error = denied().await.expect("denied");
    for expected in ["too many", ""] {
        let body = to_bytes(error.error_response().into_body()).await;
        assert_eq!(body.expect("a body"), expected);
    }
    let Some(RequestError::Denied { response, .. }) = denied().await else {
        panic!("denied");
    };
    let body = to_bytes(response.into_body()).await;
    assert_eq!(body.expect("a body"), "too many");
}
