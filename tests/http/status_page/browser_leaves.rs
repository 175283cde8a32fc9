//! A browser that leaves while a policy is reset: the reset goes on, and the log says who made it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_throttle::{Access, Limit, RateLimiter, StatusPage};
use actix_web::{
    HttpMessage, HttpRequest,
    web::{self, ServiceConfig},
};
use harness::{
    Mode, Proxy, Server, ServerVersion, eventually_async,
    http::{
        app::in_own_process,
        live::{Live, status},
    },
};

const LOGIN: Limit = Limit::per_hour(2).name("login").zone("login");
/// The form that a person confirms, with the head of its request.
const CONFIRMED: &str = "POST /limits/?view=reset&policy=login HTTP/1.1\r\n\
                         Host: limits.example\r\n\
                         Sec-Fetch-Site: same-origin\r\n\
                         Content-Type: application/x-www-form-urlencoded\r\n\
                         Content-Length: 13\r\n\r\nconfirmed=yes";
const BOUND: Duration = Duration::from_secs(20);

#[actix_web::test]
async fn reset_is_made_and_logged_if_the_browser_leaves() {
    let this = "status_page::browser_leaves::reset_is_made_and_logged_if_the_browser_leaves";
    let Some(log) = in_own_process(this) else {
        return leave_midway().await;
    };
    let line = "INFO  actix_throttle] status page: 127.0.0.1 has reset every identity under \
                [\"login\"]: 2 counters and blocks deleted\n";
    assert_eq!(log.matches(line).count(), 1, "{log}");
}

/// Tells when the request that has it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Closes the connection while Redis has not replied to the search yet.
async fn leave_midway() {
    env_logger::init();
    let server = Server::start(ServerVersion::Redis7);
    let proxy = Proxy::start(server.port());
    let builder = RateLimiter::builder().redis_url(proxy.url());
    // A deadline that outlasts what this test does meanwhile.
    let limiter = builder.deadline(BOUND).build().await.expect("a server");
    for user in ["ann", "bob"] {
        limiter.check(&LOGIN, user).await.expect("decided");
    }
    let has_left = Arc::new(AtomicBool::new(false));
    let access = {
        let has_left = has_left.clone();
        move |request: &HttpRequest| {
            let mut extensions = request.extensions_mut();
            extensions.insert(Dropped(has_left.clone()));
            Access::Full
        }
    };
    let routes = move |config: &mut ServiceConfig| {
        config.service(web::scope("/limits").service(StatusPage::new(access.clone())));
    };
    let live = Live::start(&limiter, 1, routes);

    // The worker has a connection of its own, which this opens.
    let looked_up = live.get("/limits/?identity=192.0.2.9").await;
    assert_eq!(status(&looked_up), 200, "{looked_up}");
    has_left.store(false, Ordering::SeqCst);
    let _: String = server.cli(&["CONFIG", "RESETSTAT"]);

    proxy.set(Mode::Stall);
    let mut browser = live.connect().await;
    browser.send(CONFIRMED).await;
    eventually_async("the search has begun", BOUND, async || {
        let stats: String = server.cli(&["INFO", "commandstats"]);
        stats.contains("cmdstat_scan:")
    })
    .await;
    assert!(!has_left.load(Ordering::SeqCst), "it waits for Redis");
    drop(browser);
    eventually_async("the request is dropped", BOUND, async || {
        has_left.load(Ordering::SeqCst)
    })
    .await;
    assert_eq!(server.cli::<i64>(&["DBSIZE"]), 2, "nothing is deleted yet");

    proxy.set(Mode::Pass);
    eventually_async("the reset is told", BOUND, async || {
        !limiter.snapshot().changes.is_empty()
    })
    .await;
    // The event and the log line come without a pause between them, so the line was written before
    // the same worker serves another request.
    let policy = live.get("/limits/?policy=login").await;
    assert_eq!(status(&policy), 200, "{policy}");
    assert_eq!(server.cli::<i64>(&["DBSIZE"]), 0);
}
