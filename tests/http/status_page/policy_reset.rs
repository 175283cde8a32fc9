//! The reset of a policy for every identity: asked for, confirmed, made, and told once.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_throttle::{Concurrency, Enforcement, Event, Limit, Observer};
use harness::http::app::TestApp;
use serde_json::json;

use super::{LOGIN, Page, SEARCH, sending};

const RESET: &str = "?view=reset&policy=login";
const CONFIRMED: [(&str, &str); 1] = [("confirmed", "yes")];

/// The changes that the audit hears of.
#[derive(Clone, Default)]
struct Audit(Arc<Mutex<Vec<String>>>);

impl Audit {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl Observer for Audit {
    fn observe(&self, event: &Event<'_>) {
        let line = match event {
            Event::PolicyReset {
                policy,
                deleted,
                is_complete,
                ..
            } => format!("{policy} {deleted} {is_complete}"),
            Event::Changed { .. } => "of one identity".to_owned(),
            _ => return,
        };
        self.0.lock().expect("no panic").push(line);
    }
}

async fn audited() -> (Page, Audit) {
    let audit = Audit::default();
    let app = TestApp::with(|builder| builder.observer(audit.clone())).await;
    (Page::of(app).await, audit)
}

#[actix_web::test]
async fn policy_is_reset_for_everyone_once_it_is_confirmed() {
    let (page, audit) = audited().await;
    for user in ["ann", "bob"] {
        page.tries(&LOGIN, user, 9).await;
        page.tries(&SEARCH, user, 1).await;
    }
    let hour = Duration::from_secs(3_600);
    page.limiter()
        .block(&LOGIN, "bob", hour)
        .await
        .expect("in memory");
    audit.take();
    let policy = page.look("?policy=login").await;
    let link = "href=\"?view=reset&amp;policy=login\"";
    assert!(policy.text().contains(link), "{}", policy.text());
    for question in [page.look(RESET).await, page.send(RESET, &[]).await] {
        assert_eq!(question.status, 200);
        let text = question.text();
        assert!(text.contains("name=\"confirmed\" value=\"yes\""), "{text}");
        assert!(text.contains("5 per 1m, sliding_window"), "{text}");
    }
    assert_eq!(
        page.remaining(&LOGIN, "ann").await,
        0,
        "nothing is confirmed"
    );
    assert_eq!(audit.take(), [""; 0]);

    let answer = page.send(RESET, &CONFIRMED).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("Location"), Some("?policy=login&done=reset"));
    for user in ["ann", "bob"] {
        assert_eq!(page.remaining(&LOGIN, user).await, 5);
        assert_eq!(
            page.remaining(&SEARCH, user).await,
            99,
            "of the other policy"
        );
    }
    assert_eq!(audit.take(), ["login 3 true"]);
    let view = page.look("?policy=login&done=reset").await;
    assert!(
        view.text().contains("were reset for every identity"),
        "{}",
        view.text()
    );
    assert!(
        !view.text().contains("http-equiv=\"refresh\""),
        "it says so once"
    );
    let overview = page.look("").await;
    assert!(
        overview.text().contains("every identity (3 deleted)"),
        "{}",
        overview.text()
    );
    let change = page.look("?format=json").await.json()["changes"][0].clone();
    assert_eq!(
        (&change["policy"], &change["identity"], &change["deleted"]),
        (&json!("login"), &json!(""), &json!(3))
    );
    let change = page.look_as("read", "?format=json").await.json()["changes"][0].clone();
    assert_eq!(change["identity"], "");

    page.tries(&LOGIN, "ann", 9).await;
    let answer = page.send(&format!("{RESET}&format=json"), &CONFIRMED).await;
    let mut data = answer.json();
    assert!(data["looked_at"].as_u64() >= Some(1), "{data}");
    data["looked_at"].take();
    let expected = json!({
        "change": "reset", "policy": "login", "deleted": 1, "looked_at": null,
        "is_complete": true,
    });
    assert_eq!(data, expected);
}

#[actix_web::test]
async fn limits_of_one_policy_are_one_event() {
    let (page, audit) = audited().await;
    // The second limit has the counters of the first one, as after a reload.
    let plans = [
        Limit::per_hour(3).name("login").zone("free"),
        Limit::per_hour(5).name("login").zone("free"),
        Limit::per_hour(7).name("login").zone("pro"),
    ];
    for limit in &plans {
        page.tries(limit, "ann", 1).await;
    }
    assert_eq!(page.send(RESET, &CONFIRMED).await.status, 303);
    assert_eq!(audit.take(), ["login 2 true"]);
    for (limit, times) in plans.iter().zip([3, 5, 7]) {
        assert_eq!(page.remaining(limit, "ann").await, times);
    }
}

/// The page knows 32 limits of a policy, the latest ones.
#[actix_web::test]
async fn policy_with_more_limits_than_are_known_is_reset_in_part() {
    let (page, audit) = audited().await;
    let zones: Vec<&'static str> = (0..33)
        .map(|index| &*format!("plan{index}").leak())
        .collect();
    let plan = |zone| Limit::per_hour(3).name("login").zone(zone);
    for zone in &zones[..32] {
        page.tries(&plan(zone), "ann", 1).await;
    }
    assert_eq!(page.send(RESET, &CONFIRMED).await.status, 303);
    assert_eq!(audit.take(), ["login 32 true"]);

    for zone in &zones {
        page.tries(&plan(zone), "ann", 1).await;
    }
    let answer = page.send(RESET, &CONFIRMED).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let address = "?policy=login&done=partly_reset";
    assert_eq!(answer.header("Location"), Some(address));
    assert_eq!(audit.take(), ["login 32 false"]);
    let view = page.look(address).await;
    assert!(
        view.text().contains("Counters may be left"),
        "{}",
        view.text()
    );
    for (index, zone) in zones.iter().enumerate() {
        let expected = if index == 0 { 2 } else { 3 };
        assert_eq!(page.remaining(&plan(zone), "ann").await, expected, "{zone}");
    }
    let answer = page.send(&format!("{RESET}&format=json"), &CONFIRMED).await;
    assert_eq!(answer.json()["is_complete"], false, "it stays so");
}

#[actix_web::test]
async fn only_the_page_itself_and_who_may_change_can_reset() {
    let (page, audit) = audited().await;
    page.tries(&LOGIN, "ann", 9).await;
    let reader = ("X-Admin", "read");
    let send = async |header, origin| {
        let request = sending(RESET, &CONFIRMED).insert_header(header);
        page.service
            .send(request.insert_header(origin))
            .await
            .status
    };
    assert_eq!(send(reader, ("Sec-Fetch-Site", "same-origin")).await, 403);
    let full = ("X-Admin", "full");
    assert_eq!(send(full, ("Sec-Fetch-Site", "cross-site")).await, 403);
    assert_eq!(send(full, ("Origin", "https://evil.example")).await, 403);
    assert_eq!(page.look_as("read", RESET).await.status, 403);
    assert_eq!(page.look_as("nobody", RESET).await.status, 403);
    let policy = page.look_as("read", "?policy=login").await;
    assert!(!policy.text().contains("view=reset"), "{}", policy.text());
    page.limiter().set_enforcement(Enforcement::Off);
    assert_eq!(page.send(RESET, &CONFIRMED).await.status, 409);
    page.limiter().set_enforcement(Enforcement::On);
    assert_eq!(page.remaining(&LOGIN, "ann").await, 0);
    assert_eq!(audit.take(), [""; 0]);
    assert_eq!(send(full, ("Sec-Fetch-Site", "same-origin")).await, 303);
    assert_eq!(audit.take(), ["login 1 true"]);
}

#[actix_web::test]
async fn unknown_policy_and_permits_are_not_reset() {
    let (page, audit) = audited().await;
    assert_eq!(page.send(RESET, &CONFIRMED).await.status, 404);
    let permits = Concurrency::new(1).name("exports");
    let semaphore = page.limiter().semaphore(&permits, "ann");
    let held = semaphore.acquire().await.expect("in memory");
    let exports = "?view=reset&policy=exports";
    let answer = page.send(exports, &CONFIRMED).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("holds its permits"),
        "{}",
        answer.text()
    );
    assert_eq!(audit.take(), [""; 0]);
    drop(held);
}

#[actix_web::test]
async fn reset_in_code_is_told_too() {
    let (page, audit) = audited().await;
    page.tries(&LOGIN, "ann", 1).await;
    page.limiter().reset_limit(&LOGIN).await.expect("in memory");
    assert_eq!(audit.take(), ["login 1 true"]);
    let short = page.limiter().reset_limit(&LOGIN).max_keys(0);
    assert!(!short.await.expect("in memory").is_complete());
    assert_eq!(audit.take(), ["login 0 false"]);
}
