//! Limits on messages without a socket: the request that opened one is enough.

use std::time::Duration;

use actix_throttle::{
    FailureMode, Identifier, Identity, Limit, RateLimitError, RateLimiter, RequestError, Rule,
    WebSocketLimiter, actix_ws::CloseCode, rate_limit,
};
use actix_web::{HttpRequest, HttpResponse, get, rt};

use super::SHARED;
use harness::{
    Server, ServerVersion,
    http::app::{TestApp, get as request, in_own_process},
};

/// The request of a user that has opened a socket.
fn opened(user: &str) -> HttpRequest {
    request("/")
        .insert_header(("X-User", user))
        .to_http_request()
}

/// The identity that the application gives a user.
fn name(request: &HttpRequest) -> Option<Identity> {
    let user = request.headers().get("X-User")?.to_str().ok()?;
    Some(Identity::new(user))
}

#[actix_web::test]
async fn reason_fits_into_a_frame_whatever_the_limit() {
    let limiter = TestApp::new().await.limiter;
    let longest = Limit::per_day(1)
        .name("longest")
        .block(Duration::from_secs(86_400 * 365));
    let impossible = Limit::per_day(1).name("impossible").cost(2);
    for (limit, wait) in [(longest, ", retry after 31536000 s"), (impossible, "")] {
        limiter.check(&limit, "ann").await.expect("a decision");
        let denied = limiter.check(&limit, "ann").await.expect("a decision");
        assert!(!denied.is_allowed());
        let reason = WebSocketLimiter::close_reason(&denied);
        assert_eq!(reason.code, CloseCode::Policy);
        let text = reason.description.expect("a text");
        assert_eq!(text, format!("rate limit exceeded{wait}"));
        assert!(text.len() <= 123);
    }
}

#[actix_web::test]
async fn no_identity_can_pose_as_another_in_a_context() {
    let test_app = TestApp::new().await;
    let messages = WebSocketLimiter::new(Limit::per_minute(1).zone("messages"));
    let messages = messages.limiter(test_app.limiter.clone()).identifier(name);
    let all = [
        ("ann", ""),
        ("ann", "room"),
        ("ann;room", ""),
        ("annroom", ""),
        ("ann", "room;1"),
        ("ann;room", "1"),
        ("annr", "oom"),
        ("ann", "\0"),
        ("ann\u{20}", ""),
    ];
    for expected in [true, false] {
        for (user, key) in all {
            let decision = messages.check(&opened(user), key).await;
            let decision = decision.expect("a decision");
            assert_eq!(decision.is_allowed(), expected, "{user:?} {key:?}");
        }
    }
}

#[actix_web::test]
async fn context_is_within_reach_from_outside() {
    let test_app = TestApp::new().await;
    let limit = Limit::per_minute(1).zone("messages");
    let messages = WebSocketLimiter::new(limit).identifier(name);
    let messages = messages.limiter(test_app.limiter.clone());
    let allowed = async || {
        let decision = messages.check(&opened("ann"), "room").await;
        decision.expect("a decision").is_allowed()
    };
    assert!(allowed().await);
    assert!(!allowed().await);
    let reset = test_app
        .limiter
        .reset(&limit, Identity::new("ann").context("room"));
    reset.await.expect("reset");
    assert!(allowed().await);
}

#[actix_web::test]
async fn rules_apply_as_those_of_handlers_do() {
    let test_app = TestApp::new().await;
    let by_group = |request: &HttpRequest| {
        let group = request.headers().get("X-User")?.to_str().ok()?.to_owned();
        Some(name(request)?.group(group))
    };
    // The function receives the identity of the user, in whatever context.
    let doubled = |_: &HttpRequest, identity: &Identity| {
        (*identity == Identity::new("twice").group("twice")).then(|| Limit::per_minute(2))
    };
    let messages = WebSocketLimiter::rules([
        Rule::new(Limit::per_minute(1).name("short"))
            .dynamic(doubled)
            .skip_if(|request| request.path() == "/free"),
        Rule::new(Limit::per_hour(1).name("long")).group("long"),
        Rule::unlimited("admin"),
    ])
    .limiter(test_app.limiter.clone())
    .identifier(by_group);
    for (user, expected) in [
        ("once", [true, false, false]),
        ("twice", [true, true, false]),
        ("admin", [true, true, true]),
    ] {
        for expected in expected {
            let decision = messages.check(&opened(user), "room").await;
            let decision = decision.expect("a decision");
            assert_eq!(decision.is_allowed(), expected, "{user}");
            assert_eq!(decision.limits().len(), usize::from(user != "admin"));
        }
    }
    let long = messages
        .check(&opened("long"), "room")
        .await
        .expect("a decision");
    assert_eq!(long.limits()[0].name(), "long");
    let free = request("/free")
        .insert_header(("X-User", "once"))
        .to_http_request();
    let free = messages.check(&free, "room").await.expect("a decision");
    assert!(free.is_allowed() && free.limits().is_empty());
}

#[actix_web::test]
async fn unidentified_have_the_answer_of_the_limiter() {
    let test_app =
        TestApp::with(|builder| builder.on_unidentified(|_| HttpResponse::Unauthorized().finish()))
            .await;
    let messages = WebSocketLimiter::new(SHARED).identifier(Identifier::header("X-User"));
    let messages = messages.limiter(test_app.limiter.clone());
    match messages
        .check(&request("/").to_http_request(), "room")
        .await
    {
        Err(RequestError::Unidentified(answer)) => assert_eq!(answer.status(), 401),
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_a_limiter_it_is_an_error_that_says_what_to_do() {
    // A process of its own, because another test may have installed a limiter in this one.
    let name = "websocket::by_hand::without_a_limiter_it_is_an_error_that_says_what_to_do";
    if in_own_process(name).is_some() {
        return;
    }
    rt::System::new().block_on(async {
        let messages = WebSocketLimiter::new(SHARED);
        let request = request("/").to_http_request();
        let error = messages.check(&request, "").await.expect_err("no limiter");
        assert!(matches!(error, RequestError::NotInstalled), "{error:?}");
        assert!(error.to_string().contains("RateLimiter::init"), "{error}");

        RateLimiter::builder()
            .memory()
            .init()
            .await
            .expect("installed");
        let decision = messages.check(&request, "").await.expect("a decision");
        assert_eq!(decision.limits()[0].remaining(), 1);
    });
}

#[get("/many")]
#[rate_limit("5/minute")]
async fn many(request: HttpRequest) -> String {
    let messages = WebSocketLimiter::new(Limit::per_minute(9_999).zone("many"));
    let mut allowed = 0;
    for _ in 0..10_000 {
        let decision = messages.check(&request, "").await.expect("a decision");
        allowed += u32::from(decision.is_allowed());
    }
    allowed.to_string()
}

#[actix_web::test]
async fn ten_thousand_messages_leave_nothing_with_their_request() {
    let test_app = TestApp::new().await;
    let service = test_app.service(|config| {
        config.service(many);
    });
    let answer = service.await.get("/many").await;
    assert_eq!(answer.text(), "9999");
    // Decisions kept with a request show in its headers. Here the handler's own limit alone shows,
    // which is not the strictest.
    assert_eq!(answer.quota(), Some([5, 4, 60]));
}

#[actix_web::test]
async fn failure_modes_decide_when_the_server_is_gone() {
    let mut server = Server::start(ServerVersion::Redis7);
    let limiter = RateLimiter::builder().redis_url(server.url());
    let limiter = limiter.deadline(Duration::from_secs(5)).build().await;
    let limiter = limiter.expect("a server");
    let request = request("/").to_http_request();
    let by = |mode| {
        let messages = WebSocketLimiter::rules([Rule::new(SHARED).failure_mode(mode)]);
        messages.limiter(limiter.clone())
    };
    let before = by(FailureMode::Open).check(&request, "room").await;
    assert!(!before.expect("a decision").is_fallback());
    server.kill();
    for _ in 0..3 {
        let open = by(FailureMode::Open).check(&request, "room").await;
        let open = open.expect("admitted");
        assert!(open.is_allowed() && open.is_fallback());
        match by(FailureMode::Closed).check(&request, "room").await {
            Err(RequestError::Undecided(RateLimitError::Unavailable { .. })) => {}
            other => panic!("{other:?}"),
        }
    }
}
