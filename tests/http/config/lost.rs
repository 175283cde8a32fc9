//! Configuration files that have lost content: truncated, empty or shortened.

use std::fs;

use actix_throttle::{Config, Throttle, config::Format};
use actix_web::web;

use super::{load::Folder, watch::Lines};
use harness::http::app::{TestApp, in_own_process};

fn parse(text: &str) -> Config {
    Config::parse(text, Format::Toml).expect("a right file")
}

#[test]
fn file_without_rules_and_limits_is_an_error() {
    for (text, format) in [
        ("", Format::Toml),
        ("# nothing yet\n", Format::Toml),
        (
            "skip_preflight = true\nexempt = ['/health']\n",
            Format::Toml,
        ),
        ("[limits]\n", Format::Toml),
        ("", Format::Yaml),
        ("limits: {}\n", Format::Yaml),
    ] {
        let error = Config::parse(text, format).expect_err(text);
        let [diagnostic] = error.diagnostics() else {
            panic!("{text}: {error}");
        };
        assert_eq!((diagnostic.line(), diagnostic.column()), (1, 1), "{text}");
        for words in ["no rules and no limits", "write `rules = []`"] {
            assert!(
                diagnostic.reason().to_lowercase().contains(words),
                "{text}: {error}"
            );
        }
    }
}

#[test]
fn file_that_says_it_has_no_rules_is_right() {
    for (text, format) in [("rules = []", Format::Toml), ("rules: []", Format::Yaml)] {
        Config::parse(text, format).expect(text);
    }
}

/// Truncates the file after every byte. A text that still parses keeps the limit of `/a`, and the
/// diff names what was removed.
#[actix_web::test]
async fn file_cut_anywhere_never_lifts_all_limits() {
    const WHOLE: &str = "\
exempt = ['/health']

[limits]
login = '5/minute'
export = { max = 2, expiry = '30s' }

[[rules]]
path = '^/a'
limits = ['2/minute']

[[rules]]
path = '^/b'
limits = ['2/minute']
";
    let config = parse(WHOLE);
    let throttle = Throttle::from_config(&config);
    let test_app = TestApp::new().await;
    let service = test_app
        .service(|app| {
            let scope = web::scope("").wrap(throttle);
            app.service(scope.route("/a", web::get().to(async || "ok")));
        })
        .await;
    let mut taken = 0;
    for end in 0..WHOLE.len() {
        if let Ok(changes) = config.replace(&WHOLE[..end]) {
            taken += 1;
            let told = changes.to_string();
            let is_shorter = end < WHOLE.trim_end().len();
            assert!(!is_shorter || !changes.is_empty(), "cut at {end}");
            assert!(
                !is_shorter || told.contains("removed"),
                "cut at {end}: {told}"
            );
            let status = service.get("/a").await;
            assert!(!status.is_unlimited(), "cut at {end}: {told}");
            config.replace(WHOLE).expect("right");
        }
    }
    assert!(taken > 3, "only {taken} cuts leave a file that can be read");
    config.replace("rules = []").expect("right");
    assert!(service.get("/a").await.is_unlimited());
}

#[test]
fn reload_that_lost_all_rules_is_refused_and_names_the_way_out() {
    let config = parse("limits.login = '5/minute'\nrules = [{ limits = ['2/minute'] }]");
    let error = config
        .replace("limits.login = '5/minute'")
        .expect_err("lost")
        .to_string();
    assert!(
        error.contains("no rules any more, although 1 is in force"),
        "{error}"
    );
    assert!(error.contains("Write `rules = []`"), "{error}");
    let changes = config
        .replace("limits.login = '5/minute'\nrules = []")
        .expect("meant");
    assert_eq!(
        changes.to_string(),
        "rule all paths removed: all paths: 2/1m"
    );
    config
        .replace("limits.login = '5/minute'")
        .expect("there were none");
}

#[actix_web::test]
async fn reload_that_removes_limits_warns_with_their_names() {
    let this = "config::lost::reload_that_removes_limits_warns_with_their_names";
    let Some(log) = in_own_process(this) else {
        Lines::install();
        let config = parse(
            "exempt = ['/health']
             limits.gone = '1/s'
             limits.kept = '1/s'
             rules = [
               { path = '^/a', limits = ['1/s'] },
               { path = '^/b', limits = ['2/s', '9/minute'] },
               { path = '^/c', limits = ['3/s'] },
             ]",
        );
        let next = "limits.kept = '2/s'\nrules = [{ path = '^/b', limits = ['2/s'] }, { path = '^/c', limits = ['4/s'] }]";
        config.replace(next).expect("right");
        return;
    };
    for line in [
        "WARN configuration: limit gone removed: 1/1s",
        "INFO configuration: limit kept changed: 1/1s → 2/1s",
        "WARN configuration: rule path ^/a removed: path ^/a: 1/1s",
        "WARN configuration: rule path ^/b changed: path ^/b: 2/1s; 9/1m → path ^/b: 2/1s",
        "INFO configuration: rule path ^/c changed: path ^/c: 3/1s → path ^/c: 4/1s",
        "WARN configuration: exempt /health removed",
    ] {
        assert!(log.contains(line), "{line}\n{log}");
    }
}

#[actix_web::test]
async fn watched_file_of_zero_bytes_leaves_the_old_limits_in_force() {
    let this = "config::lost::watched_file_of_zero_bytes_leaves_the_old_limits_in_force";
    let Some(log) = in_own_process(this) else {
        Lines::install();
        let folder = Folder::new();
        let path = folder.write("rules.toml", "rules = [{ limits = ['2/minute'] }]");
        let config = Config::load(&path).expect("a right file");
        let throttle = Throttle::from_config(&config);
        let test_app = TestApp::new().await;
        let service = test_app
            .service(|app| {
                let scope = web::scope("").wrap(throttle);
                app.service(scope.route("/", web::get().to(async || "ok")));
            })
            .await;
        let _watch = config.watch().expect("a thread");
        fs::write(&path, "").expect("a file");
        Lines::have("stays as it was").await;
        assert_eq!(service.statuses("/", 3).await, [200, 200, 429]);
        return;
    };
    assert!(log.contains("ERROR"), "{log}");
    assert!(
        log.contains("rules.toml:1:1: the file has no rules and no limits"),
        "{log}"
    );
}

#[actix_web::test]
async fn throttle_of_a_file_without_rules_is_one_warning() {
    let this = "config::lost::throttle_of_a_file_without_rules_is_one_warning";
    let Some(log) = in_own_process(this) else {
        Lines::install();
        let silent = parse("limits.login = '5/minute'");
        let _ = (
            Throttle::from_config(&silent),
            Throttle::from_config(&silent),
        );
        let meant = parse("limits.login = '5/minute'\nrules = []");
        let _ = Throttle::from_config(&meant);
        return;
    };
    let words = "WARN configuration: a `Throttle` goes by this file, which has no rules";
    assert_eq!(log.matches(words).count(), 1, "{log}");
}
