//! fastapi-limiter and its Valkey fork: `Depends(RateLimiter(times=…, seconds=…))`.

use std::time::Duration;

use actix_throttle::{
    Decision, Limit, Throttle, WebSocketLimiter,
    actix_ws::{self, Message},
    rate_limit,
};
use actix_web::{
    HttpRequest, HttpResponse, get, rt,
    web::{self, ServiceConfig},
};

use super::{super::ws_client::open, Service, body, header};
use harness::http::live::status;

/// `dependencies=[Depends(RateLimiter(times=2, seconds=5))]`
#[get("/")]
#[rate_limit(times = 2, seconds = 5)]
async fn index() -> &'static str {
    "Hello World"
}

/// Two limits on one route. In fastapi-limiter they must be in order of their rates; here they are
/// one decision.
#[get("/multiple")]
#[rate_limit(times = 1, seconds = 5)]
#[rate_limit(times = 2, seconds = 15)]
async fn multiple() -> &'static str {
    "Hello World"
}

#[get("/elpitlum")]
#[rate_limit(times = 2, seconds = 15)]
#[rate_limit(times = 1, seconds = 5)]
async fn multiple_the_other_way_round() -> &'static str {
    "Hello World"
}

/// `default_identifier`, an async function. fastapi-limiter's adds the path; here the zone does.
async fn identifier(request: &HttpRequest) -> Option<String> {
    let forwarded = request.headers().get("X-Forwarded-For")?.to_str().ok()?;
    Some(forwarded.split(',').next()?.trim().to_owned())
}

/// `default_callback`
async fn callback(_: &HttpRequest, denied: &Decision) -> HttpResponse {
    let milliseconds = denied.retry_after().unwrap_or_default().as_millis();
    HttpResponse::TooManyRequests().body(format!("Too Many Requests: {milliseconds} ms"))
}

#[get("/called-back")]
#[rate_limit(times = 1, seconds = 5, identifier = identifier, on_limited = callback)]
async fn called_back() -> &'static str {
    "Hello World"
}

/// `WebSocketRateLimiter(times=1, seconds=5)`, with the data as the context key.
#[get("/ws")]
async fn websocket_endpoint(
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, mut websocket, mut messages) = actix_ws::handle(&request, body)?;
    let ratelimit = WebSocketLimiter::new(Limit::new(1, Duration::from_secs(5)).zone("ws"));
    rt::spawn(async move {
        while let Some(Ok(Message::Text(data))) = messages.recv().await {
            let answer = match ratelimit.check(&request, &data).await {
                Ok(decision) if decision.is_allowed() => "Hello, world",
                _ => "Hello again",
            };
            websocket.text(answer).await?;
        }
        websocket.close(None).await
    });
    Ok(response)
}

fn routes(config: &mut ServiceConfig) {
    config.service((index, multiple, multiple_the_other_way_round, called_back));
    config.service(websocket_endpoint);
}

async fn service() -> Service {
    Service::with(Throttle::new(), routes).await
}

#[actix_web::test]
async fn quick_start() {
    let service = service().await;
    assert_eq!(service.admitted("/", &[], 3).await, 2);
    service.after_seconds(5);
    assert_eq!(service.admitted("/", &[], 3).await, 2);
}

#[actix_web::test]
async fn multiple_limiters_in_any_order() {
    for path in ["/multiple", "/elpitlum"] {
        let service = service().await;
        assert_eq!(service.admitted(path, &[], 3).await, 1, "{path}");
        service.after_seconds(5);
        assert_eq!(service.admitted(path, &[], 3).await, 1, "{path}");
        service.after_seconds(5);
        // Denied by the second limit. fastapi-limiter would charge the first one for it.
        let denied = service.get(path, &[]).await;
        assert_eq!(header(&denied, "retry-after"), Some("5"), "{path}");
        service.after_seconds(5);
        assert_eq!(service.admitted(path, &[], 3).await, 1, "{path}");
    }
}

#[actix_web::test]
async fn identifier_and_callback() {
    let service = service().await;
    let from = [("X-Forwarded-For", "203.0.113.7, 10.0.0.1")];
    assert_eq!(service.admitted("/called-back", &from, 1).await, 1);
    let denied = service.get("/called-back", &from).await;
    assert_eq!(status(&denied), 429);
    assert_eq!(body(&denied), "Too Many Requests: 5000 ms");
    assert_eq!(header(&denied, "retry-after"), Some("5"));
    let other = [("X-Forwarded-For", "203.0.113.8")];
    assert_eq!(service.admitted("/called-back", &other, 2).await, 1);
}

#[actix_web::test]
async fn rate_limiting_within_a_websocket() {
    let service = service().await;
    let mut client = open(&service.live, "/ws", "ann").await;
    let (hello, again) = ("Hello, world", "Hello again");
    let answers = client.say_all(["a", "a", "b", "", ""]).await;
    assert_eq!(answers, [hello, again, hello, hello, again]);
    service.after_seconds(5);
    assert_eq!(client.say_all(["a", "b", "a"]).await, [hello, hello, again]);
}
