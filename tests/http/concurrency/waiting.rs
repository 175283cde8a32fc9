//! Requests that wait for their turn.

use std::{sync::atomic::Ordering, time::Duration};

use actix_throttle::{Limit, Rule, concurrency_limit};
use actix_web::{get, rt, web};
use futures_util::future::{join, join_all};

use super::{Gate, ONE, at_once, one_of_two_is_held, routes};
use harness::http::{
    app::TestApp,
    live::{Live, status},
};

#[actix_web::test]
async fn a_request_waits_for_its_turn_and_is_served() {
    let test_app = TestApp::new().await;
    let gate = Gate::default();
    let waits = Rule::concurrency(ONE).max_wait(Duration::from_secs(60));
    let live = Live::behind(&test_app.limiter, at_once(waits), routes(&gate));
    let all = join_all((0..3).map(|_| live.get("/run/held")));
    let one_by_one = async {
        for number in 1..=3 {
            gate.entered(number).await;
            assert_eq!(gate.left.load(Ordering::SeqCst), number - 1);
            gate.go.notify_one();
            gate.left(number).await;
            // If the waiter was notified too early, it polls again after its own pause.
            test_app.after_millis(100);
        }
    };
    let (all, ()) = join(all, one_by_one).await;
    assert!(all.iter().all(|answer| status(answer) == 200));
}

#[actix_web::test]
async fn full_wait_queue_denies_at_once_with_the_headers_of_a_denial() {
    let test_app = TestApp::with(|builder| builder.max_waiting(1)).await;
    let gate = Gate::default();
    let waits = Rule::concurrency(ONE).max_wait(Duration::from_secs(60));
    let live = Live::behind(&test_app.limiter, at_once(waits), routes(&gate));
    let held = join_all((0..2).map(|_| live.get("/run/held")));
    let third = async {
        gate.entered(1).await;
        rt::time::sleep(Duration::from_millis(50)).await;
        let denied = live.get("/run/held").await;
        assert_eq!(status(&denied), 429, "{denied}");
        assert!(denied.contains("\r\nretry-after: 1\r\n"), "{denied}");
        assert!(denied.contains("x-ratelimit-remaining: 0"), "{denied}");
        for number in 1..=2 {
            gate.entered(number).await;
            gate.go.notify_one();
            gate.left(number).await;
            test_app.after_millis(100);
        }
    };
    let (held, ()) = join(held, third).await;
    assert!(held.iter().all(|answer| status(answer) == 200));
}

#[concurrency_limit(max = 1, max_wait = "1m")]
#[get("/patient/{ms}")]
async fn patient(length: web::Path<u64>) -> String {
    rt::time::sleep(Duration::from_millis(*length)).await;
    length.to_string()
}

#[actix_web::test]
async fn attributes_wait_too() {
    let test_app = TestApp::new().await;
    let live = Live::start(&test_app.limiter, 1, |config| {
        config.service(patient);
    });
    let all = join_all((0..4).map(|_| live.get("/patient/5")));
    let time = async {
        for _ in 0..20 {
            rt::time::sleep(Duration::from_millis(10)).await;
            test_app.after_millis(50);
        }
    };
    let (all, ()) = join(all, time).await;
    assert!(all.iter().all(|answer| status(answer) == 200));
}

#[actix_web::test]
async fn a_rate_with_a_wait_serves_one_after_the_other() {
    let test_app = TestApp::new().await;
    let rate = Limit::per_second(1).algorithm(actix_throttle::Algorithm::LeakyBucket);
    let rule = Rule::new(rate).max_wait(Duration::from_millis(1500));
    let live = Live::behind(&test_app.limiter, at_once(rule), routes(&Gate::default()));
    assert_eq!(status(&live.get("/run/quick").await), 200);
    // The next turn is in a second, and the one after that exceeds `max_wait`.
    let denied = one_of_two_is_held(&test_app, &live).await;
    assert!(denied.contains("\r\nretry-after: 2\r\n"), "{denied}");
}
