//! The configuration file in force, its errors and its differences.

use actix_throttle::{Config, config::Format};
use harness::http::app::TestApp;

use super::Page;

#[actix_web::test]
async fn reloads_are_shown_with_errors_and_differences() {
    let first = "deny = ['198.51.100.0/24']\nlimits.login = '5/minute'";
    let config = Config::parse(first, Format::Toml).expect("a valid text");
    let page = Page::of(TestApp::with(|builder| builder.config(&config)).await).await;
    let view = page.look("?view=configuration&format=json").await.json();
    let hash = view["hash"].as_str().expect("a hash").to_owned();
    assert_eq!(
        (hash.len(), view["reloads"][0]["result"].as_str()),
        (12, Some("loaded"))
    );

    let next = first
        .replace("5/minute", "6/minute")
        .replace("100.0/24", "101.0/24");
    config.replace(&next).expect("a valid text");
    let view = page.look("?view=configuration").await;
    assert!(
        view.text().contains("limit login changed: 5/1m → 6/1m"),
        "{}",
        view.text()
    );
    assert!(view.text().contains("198.51.101.0/24"));
    assert!(
        view.text().contains("limits.login = &#39;6/minute&#39;")
            || view.text().contains("limits.login = '6/minute'")
    );

    config
        .replace("limits.login = '5/fortnight'")
        .expect_err("no such unit");
    let overview = page.look("").await;
    assert!(
        overview
            .text()
            .contains("The configuration file was refused"),
        "{}",
        overview.text()
    );
    assert!(
        overview.text().contains("configuration:1:"),
        "{}",
        overview.text()
    );
    let json = page.look("?view=configuration&format=json").await.json();
    assert_eq!(json["reloads"][0]["result"], "refused");
    assert_eq!(json["reloads"][1]["result"], "changed");
    assert_ne!(json["hash"].as_str(), Some(hash.as_str()));

    for query in [
        "",
        "?view=configuration",
        "?format=json",
        "?view=configuration&format=json",
    ] {
        let view = page.look_as("read", query).await;
        assert!(!view.text().contains("198.51"), "{query}: {}", view.text());
    }
    let view = page.look_as("read", "?view=configuration").await;
    assert!(view.text().contains("deny changed") && view.text().contains("1 error"));

    config.replace(&next).expect("a valid text");
    let overview = page.look("").await;
    assert!(!overview.text().contains("was refused"), "it was repaired");
}

#[actix_web::test]
async fn limiter_without_a_file_says_so() {
    let page = Page::new().await;
    let view = page.look("?view=configuration").await;
    assert!(
        view.text()
            .contains("This limiter has no configuration file")
    );
}
