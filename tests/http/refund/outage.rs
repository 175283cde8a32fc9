//! Refunds while Redis is unreachable.

use std::time::{Duration, Instant};

use actix_throttle::{FailureMode, Limit};
use actix_web::{
    rt,
    web::{self, ServiceConfig},
};
use tokio::sync::Notify;

use super::*;
use harness::{Server, http::app::in_own_process};

const DEADLINE: Duration = Duration::from_millis(300);
const LIMIT: Limit = Limit::per_hour(4).zone("outage");

limited! {
    open: rule(LIMIT, "5xx").failure_mode(FailureMode::Open);
    local: rule(LIMIT.zone("local"), "5xx").failure_mode(FailureMode::Local);
    mixed: rule(LIMIT.zone("mixed"), "5xx").failure_mode(FailureMode::Open),
        Rule::new(Limit::per_minute(9).zone("mixed")).failure_mode(FailureMode::Local),
        rule(Limit::per_second(5).zone("mixed"), "5xx").failure_mode(FailureMode::Local);
}

/// Responds with 500 when the test allows it.
async fn waiting(gate: Limited<(web::Data<Signals>,)>) -> HttpResponse {
    static RULES: HandlerRules = HandlerRules::new(|| {
        vec![rule(LIMIT.zone("waiting"), "5xx").failure_mode(FailureMode::Closed)]
    });
    let handler = |(signals,): (web::Data<Signals>,)| async move {
        signals.started.notify_one();
        signals.resume.notified().await;
        HttpResponse::InternalServerError().finish()
    };
    run_limited(gate, &RULES, handler, respond).await
}

#[derive(Default)]
struct Signals {
    started: Notify,
    resume: Notify,
}

fn routes(signals: web::Data<Signals>) -> impl Fn(&mut ServiceConfig) {
    move |config| {
        config
            .app_data(signals.clone())
            .route("/open", web::get().to(open))
            .route("/local", web::get().to(local))
            .route("/mixed", web::get().to(mixed))
            .route("/waiting", web::get().to(waiting));
    }
}

async fn limiter(server: &Server, deadline: Duration) -> RateLimiter {
    let builder = RateLimiter::builder()
        .redis_url(server.url())
        .deadline(deadline);
    builder.build().await.expect("a limiter")
}

/// Sends a request to `/waiting` and runs `trouble` while its handler runs. Returns the response,
/// and how long it took from then on.
async fn troubled(
    server: &mut Server,
    trouble: impl FnOnce(&mut Server),
) -> (TestResponse, Duration) {
    let limiter = limiter(server, DEADLINE).await;
    let signals = web::Data::new(Signals::default());
    let service = service(&limiter, routes(signals.clone())).await;
    let request = rt::spawn(async move { service.get("/waiting").await });
    signals.started.notified().await;
    trouble(server);
    let start = Instant::now();
    signals.resume.notify_one();
    let answer = request.await.expect("an answer");
    (answer, start.elapsed())
}

#[actix_web::test]
async fn response_is_in_time_and_stays_charged_without_server() {
    for version in ServerVersion::ALL {
        for trouble in [Server::kill, |server: &mut Server| server.stop()] {
            let mut server = Server::start(version);
            let (answer, took) = troubled(&mut server, trouble).await;
            assert_eq!((answer.status, answer.remaining()), (500, Some(3)));
            // A margin, because the test machine is slow at times.
            assert!(took < DEADLINE + Duration::from_secs(2), "{took:?}");
        }
    }
}

#[test]
fn log_tells_of_a_charge_that_could_not_be_refunded() {
    const TEST: &str = "refund::outage::log_tells_of_a_charge_that_could_not_be_refunded";
    let Some(log) = in_own_process(TEST) else {
        let _ = env_logger::try_init();
        harness::stores::block_on(tokio::task::LocalSet::new().run_until(async {
            let mut server = Server::start(ServerVersion::Redis7);
            troubled(&mut server, Server::kill).await;
        }));
        return;
    };
    assert_eq!(log.matches("could not be refunded").count(), 1, "{log}");
}

#[actix_web::test]
async fn fallback_refunds_to_whatever_has_decided() {
    let mut server = Server::start(ServerVersion::Redis7);
    let limiter = limiter(&server, DEADLINE).await;
    let service = service(&limiter, routes(web::Data::default())).await;
    server.kill();
    for _ in 0..3 {
        let answer = service.answering("open", 500).await;
        assert_eq!(answer.status, 500);
        assert!(answer.is_unlimited(), "{answer:?}");
        assert_eq!(service.remaining("local", 500).await, Some(4));
    }
    assert_eq!(service.remaining("local", 200).await, Some(3));
    assert_eq!(service.remaining("local", 500).await, Some(3));
    // The first rule fails open and is left out, which shifts the positions of the others. The
    // third one has its charge refunded and is whole again; the second stays charged.
    assert_eq!(
        service.answering("mixed", 500).await.quota(),
        Some([5, 5, 0])
    );
    for _ in 0..4 {
        service.answering("mixed", 500).await;
    }
    let answer = service.answering("mixed", 500).await;
    assert_eq!(
        answer.quota().map(|quota| quota[..2].to_vec()),
        Some(vec![9, 3])
    );
}

#[actix_web::test]
async fn refund_before_outage_does_not_count_as_outage_use() {
    let mut server = Server::start(ServerVersion::Redis7);
    let limiter = limiter(&server, Duration::from_secs(5)).await;
    let service = service(&limiter, routes(web::Data::default())).await;
    for _ in 0..6 {
        assert_eq!(service.remaining("local", 500).await, Some(4));
    }
    assert_eq!(service.remaining("local", 200).await, Some(3));
    server.kill();
    // A charge that was not refunded counts in the local fallback, and nothing else does.
    for remaining in [2, 1, 0] {
        assert_eq!(service.remaining("local", 200).await, Some(remaining));
    }
    assert_eq!(service.answering("local", 200).await.status, 429);
}
