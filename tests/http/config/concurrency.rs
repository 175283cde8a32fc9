//! Concurrency limits and waiting requests, set by a configuration file.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_throttle::{Config, Throttle, config::Format, rate_limit};
use actix_web::{
    HttpResponse,
    body::SizedStream,
    get, rt,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::{
    future::{join, join_all, ready},
    stream,
};
use tokio::sync::Semaphore;

use crate::concurrency::{Gate, is_free, one_of_two_is_held, routes};
use harness::{
    http::{
        app::TestApp,
        live::{Live, status},
    },
    stores::until,
};

fn parse(text: &str) -> Config {
    Config::parse(text, Format::Toml).expect("a right file")
}

async fn live(
    config: &Config,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> (TestApp, Live) {
    let test_app = TestApp::with(|builder| builder.config(config)).await;
    let live = Live::behind(&test_app.limiter, Throttle::from_config(config), routes);
    (test_app, live)
}

#[actix_web::test]
async fn third_slow_request_is_denied_until_a_body_ends() {
    let config =
        parse("rules = [{ path = '^/run', limits = [{ max = 2, identifier = 'global' }] }]");
    let (entered, parts) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let routes = {
        let (entered, parts) = (Arc::clone(&entered), Arc::clone(&parts));
        move |app: &mut ServiceConfig| {
            let (entered, parts) = (Arc::clone(&entered), Arc::clone(&parts));
            let slow = move || {
                let parts = Arc::clone(&parts);
                let body = stream::once(async move {
                    parts.acquire().await.expect("open").forget();
                    Ok::<_, actix_web::Error>(Bytes::from_static(b"late"))
                });
                entered.fetch_add(1, Ordering::SeqCst);
                ready(HttpResponse::Ok().body(SizedStream::new(4, Box::pin(body))))
            };
            app.route("/run/slow", web::get().to(slow))
                .route("/run/quick", web::get().to(async || "quick"));
        }
    };
    let (_world, live) = live(&config, routes).await;
    let two = join_all([live.get("/run/slow"), live.get("/run/slow")]);
    let third = async {
        until("two run", async || entered.load(Ordering::SeqCst) == 2).await;
        for _ in 0..2 {
            let denied = live.get("/run/quick").await;
            assert_eq!(status(&denied), 429, "{denied}");
            assert!(denied.contains("x-ratelimit-limit: 2"), "{denied}");
        }
        // Ends one of the two bodies.
        parts.add_permits(1);
        is_free(&live).await;
        parts.add_permits(1);
    };
    let (two, ()) = join(two, third).await;
    assert!(two.iter().all(|answer| answer.ends_with("late")), "{two:?}");
}

#[actix_web::test]
async fn a_request_is_held_and_then_served() {
    let rate = "rate = '1/second', algorithm = 'leaky_bucket', max_wait = '1500ms'";
    let config = parse(&format!(
        "rules = [{{ path = '^/run', limits = [{{ {rate} }}] }}]"
    ));
    let (test_app, live) = live(&config, routes(&Gate::default())).await;
    assert_eq!(status(&live.get("/run/quick").await), 200);
    one_of_two_is_held(&test_app, &live).await;
}

#[actix_web::test]
async fn innermost_setting_of_a_limit_applies() {
    let config = parse(
        "limits.patient = { rate = '1/minute', max_wait = '2m' }
         limits.overruled = { rate = '1/minute', max_wait = '2m' }
         limits.open = '1/minute'
         rules = [
           { path = '^/own', max_wait = '1s', limits = [{ rate = '1/minute', max_wait = '2m' }] },
           { path = '^/named', max_wait = '1s', limits = ['patient'] },
           { path = '^/beside', max_wait = '2m', limits = [{ limit = 'overruled', max_wait = '1s' }] },
           { path = '^/rule', max_wait = '2m', limits = ['open'] },
           { path = '^/none', limits = ['1/minute'] },
         ]",
    );
    let test_app = TestApp::new().await;
    let service = test_app.behind(Throttle::from_config(&config), |app| {
        for path in ["/own", "/named", "/beside", "/rule", "/none"] {
            app.route(path, web::get().to(async || "ok"));
        }
    });
    let service = service.await;
    for (path, is_held) in [
        ("/own", true),
        ("/named", true),
        ("/beside", false),
        ("/rule", true),
        ("/none", false),
    ] {
        assert_eq!(service.get(path).await.status, 200, "{path}");
        // The next permit is a minute away.
        let second = rt::time::timeout(Duration::from_millis(200), service.get(path)).await;
        let status = second.ok().map(|answer| answer.status);
        assert_eq!(status, (!is_held).then_some(429), "{path}");
    }
}

#[actix_web::test]
async fn reload_changes_max_and_keeps_held_permits() {
    let rules = |max: u32| {
        format!(
            "rules = [{{ path = '^/run', name = 'run', limits = [{{ max = {max}, identifier = 'global' }}] }}]"
        )
    };
    let config = parse(&rules(1));
    let gate = Gate::default();
    let (_world, live) = live(&config, routes(&gate)).await;
    let held = live.get("/run/held");
    let others = async {
        gate.entered(1).await;
        assert_eq!(status(&live.get("/run/quick").await), 429);
        let changes = config.replace(&rules(2)).expect("right");
        let line = "rule \"run\" changed: path ^/run: 1 at once, identifier global → path ^/run: 2 at \
                    once, identifier global";
        assert_eq!(changes.to_string(), line);
        is_free(&live).await;
        config.replace(&rules(1)).expect("right");
        let denied = live.get("/run/quick").await;
        assert_eq!(status(&denied), 429, "{denied}");
        assert!(denied.contains("x-ratelimit-limit: 1"), "{denied}");
        gate.go.notify_one();
        gate.left(1).await;
        is_free(&live).await;
    };
    let (held, ()) = join(held, others).await;
    assert_eq!(status(&held), 200);
}

#[get("/run/export")]
#[rate_limit(limit = "exports")]
async fn export(gate: web::Data<Gate>) -> &'static str {
    gate.pass().await;
    "done"
}

#[get("/run/quick")]
#[rate_limit("9/minute", limit = "exports")]
async fn quick() -> &'static str {
    "quick"
}

#[actix_web::test]
async fn a_name_that_handlers_use_may_be_of_either_kind_and_change() {
    let config = parse("limits.exports = { max = 1, zone = 'exports' }");
    let gate = Gate::default();
    let data = web::Data::new(gate.clone());
    let routes = move |app: &mut ServiceConfig| {
        app.app_data(data.clone()).service((export, quick));
    };
    let (test_app, live) = live(&config, routes).await;
    let first = live.get("/run/export");
    let others = async {
        gate.entered(1).await;
        let denied = live.get("/run/quick").await;
        assert_eq!(status(&denied), 429, "{denied}");
        assert!(denied.contains("x-ratelimit-limit: 1"), "{denied}");

        let rate = "limits.exports = { rate = '5/minute', zone = 'exports' }";
        let changes = config.replace(rate).expect("right");
        let line = "limit exports changed: 1 at once → 5/1m";
        assert_eq!(changes.to_string(), line);
        let started = live.get("/run/quick").await;
        assert_eq!(status(&started), 200, "{started}");
        assert!(started.contains("x-ratelimit-remaining: 4"), "{started}");

        // A concurrency limit again: the first request still runs, so the next one waits for its
        // end.
        let permits = "limits.exports = { max = 1, zone = 'exports', max_wait = '60s' }";
        config.replace(permits).expect("right");
        let waits = live.get("/run/quick");
        let end = async {
            rt::time::sleep(Duration::from_millis(100)).await;
            gate.go.notify_one();
            gate.left(1).await;
            // If the waiter was notified too early, it polls again after its own pause.
            test_app.after_millis(100);
        };
        let (waited, ()) = join(waits, end).await;
        assert_eq!(status(&waited), 200, "{waited}");
        assert!(waited.contains("x-ratelimit-limit: 1"), "{waited}");
    };
    let (first, ()) = join(first, others).await;
    assert_eq!(status(&first), 200);

    // A handler with a written limit would fall back to it. `export` has none, so the reload fails.
    let lost = config
        .replace("rules = []")
        .expect_err("`export` has nothing else");
    assert!(
        lost.to_string()
            .contains("handlers use the limit `exports`"),
        "{lost}"
    );
}

#[test]
fn diff_shows_permits_and_waits() {
    let config = parse(
        "limits.export = { max = 2, expiry = '10s' }
         limits.login = '5/minute'
         rules = [{ path = '^/a', limits = ['export', { limit = 'login', refund_on = '2xx' }] }]",
    );
    let changes = config.replace(
        "limits.export = { max = 3, name = 'exports', zone = 'e', shadow = true, failure_mode = 'open' }
         limits.login = { rate = '5/minute', max_wait = '500ms' }
         rules = [{ path = '^/a', max_wait = '1s', limits = ['export', { limit = 'login', refund_on = '4xx' }] }]",
    );
    let changes = changes.expect("right");
    let lines: Vec<_> = changes.lines().collect();
    let expected = [
        "limit export changed: 2 at once, expiry 10s → 3 at once, shadow, name exports, zone e, failure_mode open",
        "limit login changed: 5/1m → 5/1m, max_wait 500ms",
        "rule path ^/a changed: path ^/a: limit export; limit login, refund_on 2xx → \
         path ^/a: limit export, max_wait 1s; limit login, refund_on 4xx",
    ];
    assert_eq!(lines, expected);
}
