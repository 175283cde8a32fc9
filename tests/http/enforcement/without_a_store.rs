//! A limiter that was built without a store, because its limits are off.

use std::future::IntoFuture;

use actix_throttle::{Concurrency, Config, Enforcement, Limit, RateLimiter, config::Format};
use actix_web::App;
use futures_util::FutureExt;

use super::routes;
use harness::http::app::{TestService, in_own_process};

async fn off() -> RateLimiter {
    let limiter = RateLimiter::builder().enforcement(Enforcement::Off);
    limiter.build().await.expect("no store is needed")
}

#[actix_web::test]
async fn limiter_without_a_store_admits_everything() {
    let limiter = off().await;
    const LIMIT: Limit = Limit::per_minute(1).name("limit");
    const ONE: Concurrency = Concurrency::new(1);
    for _ in 0..3 {
        let decision = limiter.check(&LIMIT, "ann").await.expect("decided");
        assert!(decision.is_allowed() && decision.limits().is_empty());
        let all = [(&LIMIT, "ann"), (&LIMIT, "ben")];
        assert!(limiter.check_all(&all).await.expect("decided").is_allowed());
        let permit = limiter.acquire(&LIMIT, "ann").into_future().now_or_never();
        assert!(permit.expect("no wait").expect("acquired").refund().await);
        let permit = limiter.semaphore(&ONE, "ann").acquire().into_future();
        let guard = permit.now_or_never().expect("no wait").expect("acquired");
        assert!(guard.is_valid());
        std::mem::forget(guard);
    }
    assert_eq!(limiter.remaining(&LIMIT, "ann").await.expect("told"), 1);
    limiter.reset(&LIMIT, "ann").await.expect("nothing to do");
    let minute = std::time::Duration::from_secs(60);
    limiter
        .block(&LIMIT, "ann", minute)
        .await
        .expect("nothing to do");
    limiter.unblock(&LIMIT, "ann").await.expect("nothing to do");
    let app = App::new().app_data(limiter).configure(routes);
    let service = TestService::of(app).await;
    for path in [
        "/single",
        "/key",
        "/identified",
        "/closed",
        "/inside",
        "/unknown",
    ] {
        assert_eq!(service.statuses(path, 3).await, [200; 3], "{path}");
    }
}

#[actix_web::test]
async fn without_a_store_only_off_is_built() {
    for mode in [Enforcement::On, Enforcement::Shadow] {
        let error = RateLimiter::builder().enforcement(mode).build().await;
        let error = error.expect_err("no store").to_string();
        assert!(error.contains("no store was chosen"), "{error}");
        assert!(error.contains("Enforcement::Off"), "{error}");
    }
    // A file can be changed while the service runs, so it makes no store superfluous.
    let config = Config::parse("enforcement = 'off'\nrules = []", Format::Toml);
    let builder = RateLimiter::builder().config(&config.expect("a right file"));
    assert!(builder.build().await.is_err());
}

#[actix_web::test]
async fn switching_on_without_a_store_is_logged_and_changes_nothing() {
    let this =
        "enforcement::without_a_store::switching_on_without_a_store_is_logged_and_changes_nothing";
    let Some(log) = in_own_process(this) else {
        env_logger::init();
        let limiter = off().await;
        for mode in [Enforcement::On, Enforcement::Shadow] {
            limiter.set_enforcement(mode);
            assert_eq!(limiter.enforcement(), Enforcement::Off);
        }
        assert!(limiter.check(&Limit::per_day(1), "ann").await.is_ok());
        return;
    };
    let lines = log.lines().filter(|line| line.contains("ERROR"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[0].contains("enforcement stays \"off\""), "{log}");
    assert!(lines[0].contains("without a store"), "{log}");
    assert!(log.contains("WARN"), "it is off from the start: {log}");
}

#[actix_web::test]
async fn process_wide_limiter_without_a_store_is_installed() {
    let this = "enforcement::without_a_store::process_wide_limiter_without_a_store_is_installed";
    if in_own_process(this).is_some() {
        return;
    }
    let service = TestService::new(routes).await;
    assert_eq!(
        service.get("/single").await.status,
        500,
        "no limiter at all"
    );
    let builder = RateLimiter::builder().enforcement(Enforcement::Off);
    builder.init().await.expect("installed");
    assert_eq!(service.statuses("/single", 3).await, [200; 3]);
    RateLimiter::close().await;
    assert_eq!(service.get("/single").await.status, 500);
}
