//! Observers that call the limiter, and the configuration, in the middle of what they hear.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use actix_throttle::{Config, Enforcement, Event, Limit, Observer, RateLimiter, config::Format};
use actix_web::rt::System;
use futures_util::FutureExt;

/// Bound for a test that a deadlock would keep for ever.
const LONGEST: Duration = Duration::from_secs(60);

const LIMIT: Limit = Limit::per_minute(9).name("mine");

fn text(times: u32) -> String {
    format!("rules = []\nlimits = {{ login = '{times}/minute' }}")
}

/// Calls all that an observer can call, whenever it hears of a reload.
struct Caller {
    config: Config,
    limiter: OnceLock<RateLimiter>,
    has_replaced: AtomicBool,
    heard: Mutex<Vec<String>>,
}

impl Observer for Caller {
    fn observe(&self, event: &Event<'_>) {
        let Event::Reloaded {
            result, changes, ..
        } = event
        else {
            return;
        };
        let line = format!("{} {}", result.as_str(), changes.join(", "));
        self.heard.lock().expect("no panic").push(line);
        // It is not built yet at the first event.
        let Some(limiter) = self.limiter.get() else {
            return;
        };
        let decided = limiter.check(&LIMIT, "ann").now_or_never();
        decided.expect("in memory").expect("decided");
        limiter.set_enforcement(Enforcement::On);
        assert_eq!(limiter.snapshot().enforcement, Enforcement::On);
        let another = RateLimiter::builder().memory().config(&self.config).build();
        let another = another.now_or_never();
        another.expect("in memory").expect("valid settings");
        if !self.has_replaced.swap(true, Ordering::Relaxed) {
            self.config.replace(&text(3)).expect("valid");
            self.config.replace("limits = 1").expect_err("invalid");
        }
    }
}

/// Reloads a configuration, and returns what the observer has heard.
async fn reload() -> Vec<String> {
    let config = Config::parse(&text(1), Format::Toml).expect("valid");
    let caller = Arc::new(Caller {
        config: config.clone(),
        limiter: OnceLock::new(),
        has_replaced: AtomicBool::new(false),
        heard: Mutex::default(),
    });
    let builder = RateLimiter::builder().memory().config(&config);
    let limiter = builder.observer(Arc::clone(&caller)).build().await;
    let limiter = limiter.expect("valid settings");
    caller.limiter.set(limiter).expect("once");
    config.replace(&text(2)).expect("valid");
    caller.heard.lock().expect("no panic").clone()
}

#[test]
fn observer_calling_limiter_during_reload_blocks_nothing() {
    let (done, finished) = mpsc::channel();
    // A thread of its own: one that is blocked for ever cannot fail.
    thread::spawn(move || done.send(System::new().block_on(reload())));
    let heard = finished.recv_timeout(LONGEST).expect("a deadlock");
    assert_eq!(
        heard,
        [
            "loaded ",
            "changed limit login changed: 1/1m → 2/1m",
            // The observer's own calls come afterwards, in order.
            "changed limit login changed: 2/1m → 3/1m",
            "refused ",
        ]
    );
}
