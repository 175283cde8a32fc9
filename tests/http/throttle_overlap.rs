//! Several throttles that charge one counter for the same request.

use actix_throttle::{Limit, Throttle};
use actix_web::{App, web};

use harness::http::app::{TestApp, TestService, in_own_process};

fn per_client(times: u32) -> Throttle {
    Throttle::per_client(Limit::per_minute(times)).expect("a valid limit")
}

fn named(times: u32, name: &'static str) -> Throttle {
    Throttle::per_client(Limit::per_minute(times).name(name)).expect("a valid limit")
}

fn global(times: u32) -> Throttle {
    Throttle::global(Limit::per_minute(times)).expect("a valid limit")
}

/// Sends a few requests to an application and a scope in it, each behind a throttle of its own.
async fn ask(outer: Throttle, inner: Throttle) {
    let test_app = TestApp::new().await;
    let scope = web::scope("/api").wrap(inner);
    let scope = scope.route("/towns", web::get().to(async || "towns"));
    let app = App::new().app_data(test_app.limiter.clone()).service(scope);
    let service = TestService::of(app.wrap(outer)).await;
    for _ in 0..5 {
        assert_eq!(service.get("/api/towns").await.status, 200);
    }
}

#[actix_web::test]
async fn counter_shared_by_two_throttles_is_logged_once() {
    let this = "throttle_overlap::\
                counter_shared_by_two_throttles_is_logged_once";
    let Some(log) = in_own_process(this) else {
        env_logger::init();
        ask(per_client(100), per_client(50)).await;
        ask(named(40, "same"), named(30, "same")).await;
        // Separate counters: another name, another identity, another window.
        ask(named(70, "outer"), named(60, "inner")).await;
        ask(global(90), per_client(80)).await;
        return;
    };
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, limits) in lines.iter().zip([
        ["\"global\" of 100 per 60s", "\"global\" of 50 per 60s"],
        ["\"same\" of 40 per 60s", "\"same\" of 30 per 60s"],
    ]) {
        assert!(limits.iter().all(|limit| line.contains(limit)), "{line}");
    }
}
