//! Enforcement on the page: on, shadow and off, of all limits at once.

use std::sync::{Arc, Mutex};

use actix_throttle::{Config, Enforcement, Event, Limit, Observer, config::Format};
use harness::http::app::TestApp;

use super::{LOGIN, Page};

const VIEWS: [&str; 5] = [
    "",
    "?policy=login",
    "?identity=user%3Dann",
    "?view=find",
    "?view=configuration",
];

/// The number of changes that the audit hears of.
#[derive(Clone, Default)]
struct Audit(Arc<Mutex<Vec<String>>>);

impl Audit {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl Observer for Audit {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Changed { policy, change, .. } = event {
            let line = format!("{policy} {change:?}");
            self.0.lock().expect("no panic").push(line);
        }
    }
}

fn form<'a>(change: &'a str, confirmed: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("identity", "user=ann"),
        ("change", change),
        ("length", "10m"),
        ("confirmed", confirmed),
    ]
}

#[actix_web::test]
async fn enforcement_is_shown_in_every_view() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    for (enforcement, word, warning) in [
        (Enforcement::On, "on", None),
        (
            Enforcement::Shadow,
            "shadow",
            Some("Enforcement is shadow: </b>all limits count, and deny nothing."),
        ),
        (
            Enforcement::Off,
            "off",
            Some("Enforcement is off: </b>limits neither count nor apply"),
        ),
        (Enforcement::On, "on", None),
    ] {
        page.limiter().set_enforcement(enforcement);
        for admin in ["full", "read"] {
            for query in VIEWS {
                let view = page.look_as(admin, query).await;
                assert_eq!(view.status, 200, "{query}");
                let is_warned = view.text().contains("Enforcement is ");
                assert_eq!(is_warned, warning.is_some(), "{query}: {}", view.text());
                let is_right = warning.is_none_or(|warning| view.text().contains(warning));
                assert!(is_right, "{query}: {}", view.text());
            }
        }
        let overview = page.look("").await;
        let line = format!("Enforcement {word} · ");
        assert!(overview.text().contains(&line), "{}", overview.text());
        for query in ["?format=json", "?identity=user%3Dann&format=json"] {
            let json = page.look(query).await.json();
            assert_eq!(json["enforcement"], word, "{query}");
        }
        assert_eq!(page.limiter().snapshot().enforcement, enforcement);
    }
}

#[actix_web::test]
async fn enforcement_of_the_file_is_shown() {
    let config = Config::parse("rules = []", Format::Toml).expect("valid");
    let page = Page::of(TestApp::with(|builder| builder.config(&config)).await).await;
    assert_eq!(page.look("?format=json").await.json()["enforcement"], "on");
    let next = "rules = []\nenforcement = 'shadow'";
    config.replace(next).expect("valid");
    assert_eq!(
        page.look("?format=json").await.json()["enforcement"],
        "shadow"
    );
    assert!(page.look("").await.text().contains("Enforcement is shadow"));
}

#[actix_web::test]
async fn limit_that_is_not_enforced_for_a_while_is_the_same_limit() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 1).await;
    page.limiter().set_enforcement(Enforcement::Shadow);
    page.tries(&LOGIN, "ann", 6).await;
    for enforcement in [Enforcement::Shadow, Enforcement::On] {
        page.limiter().set_enforcement(enforcement);
        let policy = page.look("?policy=login&format=json").await.json();
        let limits = policy["limits"].as_array().expect("a list");
        assert_eq!(limits.len(), 1, "{policy}");
        assert_eq!(limits[0]["shadow"], false, "it is no shadow by itself");
        assert_eq!(policy["shadow_denied"]["total"], 2);
        let view = page.look("?policy=login").await;
        assert!(!view.text().contains(">shadow<"), "{}", view.text());
        let identity = page.look("?identity=user%3Dann&format=json").await.json();
        assert_eq!(identity["limits"].as_array().map(Vec::len), Some(1));
        assert_eq!(identity["limits"][0]["remaining"], 0);
    }
}

#[actix_web::test]
async fn nothing_is_changed_while_limits_are_off() {
    let audit = Audit::default();
    let page = Page::of(TestApp::with(|builder| builder.observer(audit.clone())).await).await;
    page.tries(&LOGIN, "ann", 9).await;
    page.limiter().set_enforcement(Enforcement::Off);
    let view = page.look("?identity=user%3Dann").await;
    assert!(
        view.text().contains("nothing to show or to change"),
        "{}",
        view.text()
    );
    assert!(!view.text().contains("<form"), "{}", view.text());
    for change in ["reset", "block", "unblock"] {
        for confirmed in ["", "yes"] {
            let answer = page.send("?view=change", &form(change, confirmed)).await;
            assert_eq!(answer.status, 409, "{change}");
            assert!(
                answer.text().contains("nothing can be changed"),
                "{}",
                answer.text()
            );
        }
        let answer = page
            .send("?view=change&format=json", &form(change, "yes"))
            .await;
        assert_eq!(answer.status, 409, "{change}");
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(audit.take(), [""; 0]);
    page.limiter().set_enforcement(Enforcement::On);
    assert_eq!(page.remaining(&LOGIN, "ann").await, 0, "nothing was done");
    page.send("?view=change", &form("reset", "yes")).await;
    assert_eq!(audit.take(), ["login Reset"]);
}

#[actix_web::test]
async fn counter_that_two_limits_share_is_changed_once() {
    let audit = Audit::default();
    let page = Page::of(TestApp::with(|builder| builder.observer(audit.clone())).await).await;
    // The limit changes as by a reload, and back.
    let wider: Limit = Limit::per_minute(7).name("login");
    for limit in [&LOGIN, &wider, &LOGIN] {
        page.tries(limit, "ann", 1).await;
    }
    let policy = page.look("?policy=login&format=json").await.json();
    let quotas: Vec<_> = policy["limits"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    assert_eq!(
        (&quotas[0]["quota"], &quotas[1]["quota"]),
        (&7.into(), &5.into())
    );
    for (change, told) in [
        ("block", "login Block(600s)"),
        ("unblock", "login Unblock"),
        ("reset", "login Reset"),
    ] {
        let answer = page.send("?view=change", &form(change, "yes")).await;
        assert_eq!(answer.status, 303, "{change}");
        assert_eq!(audit.take(), [told]);
    }
    assert_eq!(page.remaining(&LOGIN, "ann").await, 5);
}
