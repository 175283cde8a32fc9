//! Limits on messages inside a WebSocket, over real sockets.

mod by_hand;
mod documented;

use std::time::Duration;

use actix_throttle::{
    Config, Identifier, Limit, Rule, Throttle, WebSocketLimiter,
    actix_ws::{self, Message},
    config::Format,
    rate_limit,
};
use actix_web::{
    HttpRequest, HttpResponse, get as route, rt,
    web::{self, ServiceConfig},
};

use super::ws_client::{WsMessage, open};
use harness::http::{
    app::{TestApp, get},
    live::Live,
};

const SHARED: Limit = Limit::per_minute(2).zone("shared");

fn by_user() -> Identifier {
    Identifier::header("X-User")
}

#[route("/http")]
#[rate_limit("2/minute", zone = "shared", identifier = header("X-User"))]
async fn http() -> &'static str {
    "ok"
}

/// Echoes each admitted message. A denied one gets `limited`, or closes the socket if `is_end`.
fn echo(
    request: HttpRequest,
    body: web::Payload,
    limiter: WebSocketLimiter,
    key: fn(&str) -> &str,
    is_end: bool,
) -> actix_web::Result<HttpResponse> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    rt::spawn(async move {
        while let Some(Ok(Message::Text(text))) = messages.recv().await {
            let answer = match limiter.check(&request, key(&text)).await {
                Ok(decision) if decision.is_allowed() => text.to_string(),
                Ok(denied) if is_end => {
                    let reason = WebSocketLimiter::close_reason(&denied);
                    return session.close(Some(reason)).await;
                }
                Ok(_) => "limited".to_owned(),
                Err(error) => error.to_string(),
            };
            session.text(answer).await?;
        }
        session.close(None).await
    });
    Ok(response)
}

#[route("/plain")]
async fn plain(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let limiter = WebSocketLimiter::new(SHARED).identifier(by_user());
    echo(request, body, limiter, |_| "", false)
}

#[route("/contexts")]
async fn contexts(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let limiter = WebSocketLimiter::new(SHARED).identifier(by_user());
    echo(request, body, limiter, |text| text, false)
}

#[route("/closing")]
async fn closing(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let limit = Limit::per_minute(1).zone("closing");
    let limit = limit.block(Duration::from_millis(89_500));
    let limiter = WebSocketLimiter::new(limit).identifier(by_user());
    echo(request, body, limiter, |_| "", true)
}

#[route("/named")]
async fn named(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let limiter = WebSocketLimiter::rules([Rule::named("talk")]);
    echo(request, body, limiter, |_| "", false)
}

fn routes(config: &mut ServiceConfig) {
    config.service((http, plain, contexts, closing, named));
}

#[actix_web::test]
async fn each_identity_has_its_quota_over_all_its_sockets() {
    let test_app = TestApp::new().await;
    let live = Live::start(&test_app.limiter, 1, routes);
    let mut ann = open(&live, "/plain", "ann").await;
    assert_eq!(ann.say_all(["a", "b", "c"]).await, ["a", "b", "limited"]);
    let mut bob = open(&live, "/plain", "bob").await;
    assert_eq!(bob.say_all(["a"]).await, ["a"]);
    let mut again = open(&live, "/plain", "ann").await;
    assert_eq!(again.say_all(["a"]).await, ["limited"]);
    test_app.after_seconds(60);
    assert_eq!(ann.say_all(["a"]).await, ["a"]);
    assert_eq!(again.say_all(["b", "c"]).await, ["b", "limited"]);
}

#[actix_web::test]
async fn each_context_key_has_its_quota_of_each_identity() {
    let test_app = TestApp::new().await;
    let live = Live::start(&test_app.limiter, 1, routes);
    let mut ann = open(&live, "/contexts", "ann").await;
    let answers = ann.say_all(["a", "a", "a", "b", "b", "b"]).await;
    assert_eq!(answers, ["a", "a", "limited", "b", "b", "limited"]);
    let mut bob = open(&live, "/contexts", "bob").await;
    assert_eq!(bob.say_all(["a", "a", "a"]).await, ["a", "a", "limited"]);
    // Messages without a context key have a counter of their own.
    assert_eq!(ann.say_all(["", "", ""]).await, ["", "", "limited"]);
}

#[actix_web::test]
async fn messages_and_handlers_of_a_zone_count_in_one() {
    let test_app = TestApp::new().await;
    let live = Live::start(&test_app.limiter, 1, routes);
    let service = test_app.service(routes).await;
    let mut ann = open(&live, "/plain", "ann").await;
    assert_eq!(ann.say_all(["a"]).await, ["a"]);
    for (status, remaining) in [(200, 0), (429, 0)] {
        let answer = service.send(get("/http").insert_header(("X-User", "ann")));
        let answer = answer.await;
        assert_eq!(
            (answer.status, answer.remaining()),
            (status, Some(remaining))
        );
    }
    assert_eq!(ann.say_all(["b"]).await, ["limited"]);
    let bob = service.send(get("/http").insert_header(("X-User", "bob")));
    assert_eq!(bob.await.remaining(), Some(1));
}

#[actix_web::test]
async fn denial_closes_with_1008_and_says_when_to_come_back() {
    let test_app = TestApp::new().await;
    let live = Live::start(&test_app.limiter, 1, routes);
    let mut ann = open(&live, "/closing", "ann").await;
    assert_eq!(ann.say_all(["a"]).await, ["a"]);
    let WsMessage::Closed(Some(reason)) = ann.say("b").await else {
        panic!("not closed");
    };
    assert_eq!(u16::from(reason.code), 1008);
    let text = reason.description.expect("a text");
    assert_eq!(text, "rate limit exceeded, retry after 90 s");
    // The block applies to a new socket too, and ends in time.
    test_app.after_seconds(89);
    let mut again = open(&live, "/closing", "ann").await;
    assert!(matches!(again.say("c").await, WsMessage::Closed(Some(_))));
    test_app.after_millis(500);
    let mut again = open(&live, "/closing", "ann").await;
    assert_eq!(again.say_all(["d"]).await, ["d"]);
}

#[actix_web::test]
async fn named_limit_in_open_socket_follows_configuration() {
    let config = Config::parse("limits.talk = '1/minute'", Format::Toml).expect("right");
    let test_app = TestApp::with(|builder| builder.config(&config)).await;
    // Handlers behind the middleware use the configuration that was in force at their request.
    let live = Live::behind(&test_app.limiter, Throttle::from_config(&config), routes);
    let mut ann = open(&live, "/named", "ann").await;
    assert_eq!(ann.say_all(["a", "b"]).await, ["a", "limited"]);
    config.replace("limits.talk = '2/minute'").expect("right");
    assert_eq!(ann.say_all(["c", "d"]).await, ["c", "limited"]);
}
