//! The replacement of a configuration while requests arrive.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use actix_throttle::{
    __private::{HandlerRules, Limited, respond, run_limited},
    Config, HeaderStyle, Identifier, Identity, Limit, RateLimiter, Rule, Throttle,
    config::Format,
};
use actix_web::{HttpResponse, web};

use harness::http::{
    app::TestApp,
    live::{Live, status},
};

fn parse(text: &str) -> Config {
    Config::parse(text, Format::Toml).expect("a right file")
}

/// The text of one configuration. All names in it carry `number`, and its limits share their
/// counters with those of the other numbers.
fn state(number: usize) -> String {
    // Quotas that never deny, different in each configuration.
    let times = 100_000 + number;
    format!(
        "limits.inside = {{ rate = '{times}/hour', name = 'inside-{number}', algorithm = 'fixed_window' }}
         [[rules]]
         path = '^/busy'
         name = 'busy'
         limits = [
           {{ rate = '{times}/hour', name = 'first-{number}', algorithm = 'fixed_window' }},
           {{ rate = '{times}/day', name = 'second-{number}', algorithm = 'fixed_window' }},
         ]"
    )
}

async fn busy(gate: Limited<()>) -> HttpResponse {
    static RULES: HandlerRules = HandlerRules::new(|| vec![Rule::named("inside")]);
    run_limited(gate, &RULES, async |()| "ok", respond).await
}

/// The numbers of the configurations that the policies of a response belong to.
fn states(answer: &str) -> BTreeSet<String> {
    let policies = answer
        .lines()
        .find_map(|line| line.strip_prefix("ratelimit-policy: "));
    let policies = policies.expect(answer).split(',');
    let names = policies.map(|policy| policy.split('"').nth(1).expect("a name").to_owned());
    let names: Vec<_> = names.collect();
    let kinds: Vec<_> = names
        .iter()
        .filter_map(|name| name.split_once('-'))
        .collect();
    assert_eq!(kinds.len(), 3, "{answer}");
    kinds
        .iter()
        .map(|(_, number)| (*number).to_owned())
        .collect()
}

#[actix_web::test]
async fn under_load_no_count_is_lost_and_each_request_sees_one_state() {
    const CLIENTS: usize = 4;
    const EACH: usize = 400;
    let config = parse(&state(0));
    let limiter = RateLimiter::builder()
        .memory()
        .identifier(Identifier::global())
        .headers(HeaderStyle::Ietf)
        .config(&config)
        .build()
        .await
        .expect("valid settings");
    let throttle = Throttle::from_config(&config);
    let server = Live::start(&limiter, 2, move |app| {
        let scope = web::scope("").wrap(throttle.clone());
        app.service(scope.route("/busy", web::get().to(busy)));
    });

    let done = Arc::new(AtomicUsize::new(0));
    let reloads = {
        let done = Arc::clone(&done);
        thread::spawn(move || {
            let mut number = 0;
            while done.load(Ordering::Relaxed) < CLIENTS {
                number += 1;
                config.replace(&state(number)).expect("right");
            }
            number
        })
    };
    let clients = (0..CLIENTS).map(async |_| {
        let mut seen = BTreeSet::new();
        let mut wire = server.connect().await;
        for _ in 0..EACH {
            wire.send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let answer = wire.answer().await;
            assert_eq!(status(&answer), 200, "{answer}");
            let states = states(&answer);
            assert_eq!(states.len(), 1, "half of one and half of another: {answer}");
            seen.extend(states);
        }
        done.fetch_add(1, Ordering::Relaxed);
        seen
    });
    let seen = futures_util::future::join_all(clients).await;
    let reloads = reloads.join().expect("reloads");
    assert!(reloads > 20, "only {reloads} reloads");
    let seen: BTreeSet<_> = seen.into_iter().flatten().collect();
    assert!(seen.len() > 20, "only {} states were seen", seen.len());

    let hour = Limit::per_hour(1_000_000).algorithm(actix_throttle::Algorithm::FixedWindow);
    let day = Limit::per_day(1_000_000).algorithm(actix_throttle::Algorithm::FixedWindow);
    for limit in [hour.zone("busy"), day.zone("busy"), hour.zone("inside")] {
        let left = limiter
            .peek(&limit, Identity::global())
            .await
            .expect("a store");
        let used = 1_000_000 - left.limits()[0].remaining() as usize;
        assert_eq!(used, CLIENTS * EACH, "{limit:?}");
    }
}

#[actix_web::test]
async fn a_wrong_text_changes_nothing() {
    let config = parse("rules = [{ limits = ['2/minute'] }]");
    let throttle = Throttle::from_config(&config);
    let test_app = TestApp::new().await;
    let service = test_app
        .service(|app| {
            let scope = web::scope("").wrap(throttle);
            app.service(scope.route("/", web::get().to(async || "ok")));
        })
        .await;
    assert_eq!(service.get("/").await.quota(), Some([2, 1, 60]));
    let error = config.replace("rules = [{ limits = ['9/minute', '1/x'] }]");
    assert_eq!(error.expect_err("an error").diagnostics().len(), 1);
    assert_eq!(service.statuses("/", 2).await, [200, 429]);
    config
        .replace("rules = [{ limits = ['3/minute'] }]")
        .expect("right");
    assert_eq!(service.statuses("/", 2).await, [200, 429]);
    config.replace("rules = []").expect("no rules");
    assert!(service.get("/").await.is_unlimited());
}

#[test]
fn diff_is_logged_line_by_line() {
    let config = parse(
        "exempt = ['/a']
         limits.kept = '1/s'
         limits.gone = '2/s'
         limits.other = { rate = '5/minute', algorithm = 'token_bucket', capacity = 9, block = '1m' }
         rules = [
           { path = '^/a', name = 'a', limits = ['1/s'] },
           { path = '^/b', limits = ['kept', { group = 'x', unlimited = true }] },
           { path = '^/c', limits = ['1/s'] },
         ]",
    );
    let changes = config.replace(
        "exempt = ['/b']
         skip_preflight = true
         limits.kept = '1/s'
         limits.new = '3/s'
         limits.other = { rate = '6/minute', cost = 2, refund_on = '5xx', failure_mode = 'local' }
         rules = [
           { path = '^/c', limits = ['1/s'] },
           { path = '^/a2', name = 'a', shadow = true, limits = ['2/s'] },
           { path = '^/d', methods = ['GET'], identifier = 'ip', limits = ['1/s'] },
           { path = '^/e', exempt = true },
         ]",
    );
    let changes = changes.expect("right");
    let lines: Vec<_> = changes.lines().collect();
    assert_eq!(
        lines,
        [
            "limit gone removed: 2/1s",
            "limit other changed: 5/1m, token_bucket, capacity 9, block 1m → 6/1m, cost 2, failure_mode local, refund_on 5xx",
            "limit new added: 3/1s",
            "rule \"a\" changed: path ^/a: 1/1s → path ^/a2, shadow: 2/1s",
            "rule path ^/b removed: path ^/b: limit kept; unlimited, group x",
            "rule GET path ^/d added: GET path ^/d: 1/1s, identifier ip",
            "rule path ^/e added: path ^/e: exempt",
            "rules reordered: \"a\", path ^/c → path ^/c, \"a\"",
            "exempt /a removed",
            "exempt /b added",
            "skip_preflight changed: false → true",
        ]
    );
    assert_eq!(changes.lines().len(), 11);
    assert!(!changes.is_empty());
}

#[test]
fn equal_configuration_is_no_change() {
    let config = parse("limits.a = '60/minute'");
    let changes = config.replace("# a comment\n[limits.a]\ntimes = 60\nseconds = 60");
    assert!(changes.expect("right").is_empty());
}
