//! The enforcement that a configuration file sets.

use actix_throttle::{Config, Enforcement, config::Format};

use super::routes;
use harness::http::app::TestApp;

#[actix_web::test]
async fn file_changes_the_enforcement_at_a_reload() {
    let text = |enforcement: &str| format!("{enforcement}\nlimits.a = '1/minute'");
    let config = Config::parse(&text("enforcement = 'shadow'"), Format::Toml);
    let config = config.expect("a right file");
    let test_app = TestApp::with(|builder| builder.config(&config)).await;
    let service = test_app.service(routes).await;
    let replace = |enforcement| {
        let changes = config.replace(&text(enforcement)).expect("a right file");
        changes.to_string()
    };
    assert_eq!(service.statuses("/single", 3).await, [200; 3]);
    assert_eq!(replace(""), "enforcement changed: shadow → on");
    assert_eq!(service.get("/single").await.status, 429);
    assert_eq!(
        replace("enforcement = 'off'"),
        "enforcement changed: on → off"
    );
    assert_eq!(service.get("/single").await.status, 200);
    assert!(config.replace("enforcement = 'never'\nrules = []").is_err());
    assert_eq!(service.get("/single").await.status, 200, "nothing changed");
    // The code and the file each set a mode: the lesser one is in force.
    test_app.limiter.set_enforcement(Enforcement::On);
    assert_eq!(test_app.limiter.enforcement(), Enforcement::Off);
    test_app.limiter.set_enforcement(Enforcement::Shadow);
    replace("enforcement = 'on'");
    assert_eq!(test_app.limiter.enforcement(), Enforcement::Shadow);
    test_app.limiter.set_enforcement(Enforcement::On);
    assert_eq!(test_app.limiter.enforcement(), Enforcement::On);
    assert_eq!(service.get("/single").await.status, 429);
}

#[actix_web::test]
async fn wrong_word_in_the_file_has_its_position() {
    let parse = |text: &str| {
        let error = Config::parse(text, Format::Toml).expect_err(text);
        error.to_string()
    };
    let error = parse("enforcement = 'shadows'\nrules = []");
    assert!(error.contains("1:15: "), "{error}");
    assert!(error.contains("unknown enforcement `shadows`"), "{error}");
    assert!(error.contains("did you mean `shadow`?"), "{error}");
    let error = parse("enforcement = true\nrules = []");
    assert!(error.contains("1:15: "), "{error}");
    let error = parse("rules = [{ enforcement = 'on', limits = ['1/s'] }]");
    assert!(error.contains("1:12: "), "{error}");
}
