//! Each failure mode as clients and callers see it, when Redis has failed.

use std::time::Duration;

use actix_throttle::{
    CircuitState, Decision, FailureMode, Identifier, Limit, ManualClock, RateLimitError,
    RateLimiter, RequestError, Rule, rate_limit,
};
use actix_web::{HttpRequest, HttpResponse, get, test::TestRequest};

use super::builder;
use harness::{
    Server, ServerVersion, eventually_async,
    http::app::{TestService, get},
    stores::block_on,
};

#[get("/default")]
#[rate_limit(times = 2, seconds = 60)]
async fn default() -> &'static str {
    "ok"
}

#[get("/open")]
#[rate_limit(times = 2, seconds = 60, failure_mode = "open")]
async fn open() -> &'static str {
    "ok"
}

#[get("/closed")]
#[rate_limit(times = 2, seconds = 60, failure_mode = "closed")]
async fn closed() -> &'static str {
    "ok"
}

#[get("/local")]
#[rate_limit(times = 2, seconds = 60, failure_mode = "local")]
async fn local() -> &'static str {
    "ok"
}

#[get("/open-and-closed")]
#[rate_limit(times = 2, seconds = 60, failure_mode = "open")]
#[rate_limit(times = 3, seconds = 90, failure_mode = "closed")]
async fn open_and_closed() -> &'static str {
    "ok"
}

#[get("/open-and-local")]
#[rate_limit(times = 1, seconds = 60, failure_mode = "open")]
#[rate_limit(times = 2, seconds = 90, failure_mode = "local", on_limited = teapot)]
async fn open_and_local() -> &'static str {
    "ok"
}

#[get("/closed-shadow")]
#[rate_limit(times = 2, seconds = 60)]
#[rate_limit(times = 2, seconds = 90, failure_mode = "closed", shadow)]
async fn closed_shadow() -> &'static str {
    "ok"
}

fn teapot(_request: &HttpRequest, denied: &Decision) -> HttpResponse {
    assert!(denied.is_fallback());
    HttpResponse::ImATeapot().finish()
}

struct OutageFixture {
    service: TestService,
    limiter: RateLimiter,
    clock: ManualClock,
    _gone: Server,
}

impl OutageFixture {
    async fn new(mode: FailureMode) -> Self {
        let mut server = Server::start(ServerVersion::Redis7);
        let clock = ManualClock::new();
        let limiter = builder(server.url())
            .failure_mode(mode)
            .recovery_timeout(Duration::from_millis(2500))
            .clock(clock.clone())
            .build()
            .await
            .unwrap();
        server.kill();
        let service = TestService::new(|config| {
            config.app_data(limiter.clone());
            config.service((default, open, closed, local));
            config.service((open_and_closed, open_and_local, closed_shadow));
        })
        .await;
        Self {
            service,
            limiter,
            clock,
            _gone: server,
        }
    }
}

#[actix_web::test]
async fn open_lets_everyone_through_and_says_nothing() {
    let fixture = OutageFixture::new(FailureMode::Closed).await;
    for _ in 0..10 {
        let answer = fixture.service.get("/open").await;
        assert_eq!((answer.status, answer.text()), (200, "ok"));
        assert!(answer.is_unlimited());
    }
}

#[actix_web::test]
async fn closed_answers_503_and_when_to_come_again() {
    let fixture = OutageFixture::new(FailureMode::Open).await;
    for _ in 0..3 {
        let answer = fixture.service.get("/closed").await;
        // The circuit may be open and the next probe known. `Retry-After` is still 1 s, its
        // minimum, because the first pauses are shorter than a second.
        assert_eq!((answer.status, answer.retry_after()), (503, Some(1)));
        let kind = answer.header("Content-Type");
        assert_eq!(kind, Some("application/problem+json"));
        let document = answer.json();
        assert_eq!(
            document["type"],
            "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
        );
        assert_eq!(document["status"], 503);
        assert_eq!(answer.quota(), None);
    }
    eventually_async("the circuit is open", Duration::from_secs(3), async || {
        fixture.service.get("/closed").await.status == 503
            && fixture.limiter.circuit() == CircuitState::Open
    })
    .await;
    let answer = fixture.service.get("/closed").await;
    assert_eq!(answer.status, 503);
    let wait = answer.json()["retry_after_ms"].as_u64();
    assert!(wait.is_some_and(|wait| wait <= 2_500), "{wait:?}");
}

#[actix_web::test]
async fn local_counts_in_this_process_and_shows_it() {
    let fixture = OutageFixture::new(FailureMode::Open).await;
    for (status, remaining) in [(200, 1), (200, 0), (429, 0), (429, 0)] {
        let answer = fixture.service.get("/local").await;
        assert_eq!(
            (answer.status, answer.remaining()),
            (status, Some(remaining))
        );
    }
    fixture.clock.advance(Duration::from_secs(60));
    assert_eq!(fixture.service.get("/local").await.remaining(), Some(1));
}

#[actix_web::test]
async fn handlers_that_do_not_say_do_as_the_limiter() {
    for (mode, expected) in [
        (FailureMode::Open, [200, 200, 200]),
        (FailureMode::Closed, [503, 503, 503]),
        (FailureMode::Local, [200, 200, 429]),
    ] {
        let fixture = OutageFixture::new(mode).await;
        assert_eq!(fixture.service.statuses("/default", 3).await, expected);
    }
}

#[actix_web::test]
async fn stacked_limits_keep_their_own_failure_modes() {
    let fixture = OutageFixture::new(FailureMode::Open).await;
    assert_eq!(fixture.service.get("/open-and-closed").await.status, 503);
    assert_eq!(fixture.service.get("/closed-shadow").await.status, 200);
    for (status, remaining) in [(200, 1), (200, 0), (418, 0)] {
        let answer = fixture.service.get("/open-and-local").await;
        assert_eq!(answer.status, status);
        // The quota of the limit with the local fallback; the limit that fails open shows none.
        assert_eq!(
            answer.quota().map(|[limit, left, _]| [limit, left]),
            Some([2, remaining])
        );
    }
}

#[test]
fn decisions_by_hand_follow_the_limiter() {
    let limit = Limit::per_minute(2).name("by-hand");
    block_on(async {
        let by_open = OutageFixture::new(FailureMode::Open).await.limiter;
        for _ in 0..5 {
            let decision = by_open.check(&limit, "ann").await.unwrap();
            assert!(decision.is_allowed() && decision.is_fallback());
            assert!(decision.limits().is_empty());
        }

        let by_closed = OutageFixture::new(FailureMode::Closed).await.limiter;
        let mut known = false;
        eventually_async(
            "it is known when to come again",
            Duration::from_secs(3),
            async || {
                let Err(RateLimitError::Unavailable { retry_after, .. }) =
                    by_closed.check(&limit, "ann").await
                else {
                    panic!("decided");
                };
                assert!(retry_after.is_some() || !known, "the circuit stays open");
                known = retry_after.is_some();
                known
            },
        )
        .await;

        let by_local = OutageFixture::new(FailureMode::Local).await.limiter;
        for expected in [true, true, false] {
            let decision = by_local.check(&limit, "ann").await.unwrap();
            assert_eq!(decision.is_allowed(), expected);
            assert!(decision.is_fallback());
        }
        let peeked = by_local.peek(&limit, "ann").await.unwrap();
        assert_eq!(peeked.limits()[0].remaining(), 0);
    });
}

#[test]
fn rules_by_hand_keep_their_own() {
    let rule = |mode| {
        Rule::new(Limit::per_minute(1).name("rule"))
            .identifier(Identifier::global())
            .failure_mode(mode)
    };
    block_on(async {
        let limiter = OutageFixture::new(FailureMode::Open).await.limiter;
        let request: TestRequest = get("/");
        let request = request.to_http_request();
        let rules = [rule(FailureMode::Closed)];
        assert!(matches!(
            limiter.check_request(&request, &rules).await,
            Err(RequestError::Undecided(RateLimitError::Unavailable { .. }))
        ));
        let rules = [rule(FailureMode::Local)];
        for expected in [true, false] {
            let decision = limiter.check_request(&request, &rules).await.unwrap();
            assert_eq!(decision.unwrap().is_allowed(), expected);
        }
    });
}

#[test]
fn without_a_runtime_every_mode_returns_an_error() {
    let limiter = block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        builder(server.url()).build().await.unwrap()
    });
    let limit = Limit::per_minute(1);
    let mut decision = std::pin::pin!(limiter.check(&limit, "ann"));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = decision.as_mut().poll(&mut context);
    assert!(matches!(polled, std::task::Poll::Ready(Err(_))));
}
