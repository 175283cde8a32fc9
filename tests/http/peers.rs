//! Examples from the documentation of comparable systems, each rewritten for this crate and run
//! over HTTP. A comment in backticks quotes the original.

mod actix;
mod asgi_ratelimit;
mod authenticators;
mod fastapi_limiter;
mod pylimitx;
mod redis_rate_limiters;
mod slowstack;

use std::time::Duration;

use actix_throttle::{ManualClock, RateLimiter, Throttle};
use actix_web::web::{self, ServiceConfig};

use harness::http::live::{Live, status};

/// A server, and the clock that drives its limits.
struct Service {
    live: Live,
    clock: ManualClock,
}

impl Service {
    /// A server that responds to every request, behind this middleware.
    async fn behind(throttle: Throttle) -> Self {
        let anything = |config: &mut ServiceConfig| {
            config.default_service(web::to(|| async { "Hello World" }));
        };
        Self::with(throttle, anything).await
    }

    async fn with(
        throttle: Throttle,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        let clock = ManualClock::new();
        let limiter = RateLimiter::builder().memory().clock(clock.clone());
        let limiter = limiter.build().await.expect("valid settings");
        let live = Live::behind(&limiter, throttle, routes);
        Self { live, clock }
    }

    fn after_seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Sends a `GET` with these headers on a connection of its own.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> String {
        let mut wire = self.live.connect().await;
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n"))
            .await;
        wire.answer().await
    }

    /// Returns how many of the requests are admitted before the first denial. All after it must be
    /// 429 too.
    async fn admitted(&self, path: &str, headers: &[(&str, &str)], requests: usize) -> usize {
        let mut statuses = Vec::with_capacity(requests);
        for _ in 0..requests {
            statuses.push(status(&self.get(path, headers).await));
        }
        let admitted = statuses.iter().take_while(|status| **status == 200).count();
        let denied = &statuses[admitted..];
        assert!(
            denied.iter().all(|status| *status == 429),
            "{path}: {statuses:?}"
        );
        admitted
    }
}

/// The value of a header. The whole head is in lower case here.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
