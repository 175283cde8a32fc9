//! Reset, block and unblock: asked for, confirmed, made, and told.

use std::sync::{Arc, Mutex};

use actix_throttle::{Concurrency, Event, Identity, Limit, Observer};
use harness::http::app::TestApp;

use super::{LOGIN, Page, SEARCH};

/// The changes that the audit hears of.
#[derive(Clone, Default)]
struct Audit(Arc<Mutex<Vec<String>>>);

impl Observer for Audit {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Changed {
            policy,
            identity,
            change,
            ..
        } = event
        {
            let line = format!("{policy} {identity} {change:?}");
            self.0.lock().expect("no panic").push(line);
        }
    }
}

pub(super) fn form<'a>(
    change: &'a str,
    policy: &'a str,
    confirmed: &'a str,
) -> [(&'a str, &'a str); 5] {
    [
        ("identity", "user=ann"),
        ("policy", policy),
        ("change", change),
        ("length", "10m"),
        ("confirmed", confirmed),
    ]
}

#[actix_web::test]
async fn change_is_made_once_it_is_confirmed() {
    let audit = Audit::default();
    let page = Page::of(TestApp::with(|builder| builder.observer(audit.clone())).await).await;
    page.tries(&LOGIN, "ann", 9).await;
    page.tries(&SEARCH, "ann", 1).await;
    for change in ["reset", "block", "unblock"] {
        let answer = page.send("?view=change", &form(change, "", "")).await;
        assert_eq!(answer.status, 200);
        assert!(
            answer.text().contains("name=\"confirmed\" value=\"yes\""),
            "{}",
            answer.text()
        );
        assert!(answer.text().contains("user=ann"));
    }
    assert_eq!(
        page.remaining(&LOGIN, "ann").await,
        0,
        "nothing is confirmed"
    );
    assert_eq!(audit.0.lock().unwrap().len(), 0);

    let answer = page
        .send("?view=change", &form("reset", "login", "yes"))
        .await;
    assert_eq!(answer.status, 303);
    assert_eq!(
        answer.header("Location"),
        Some("?identity=user%3Dann&done=reset")
    );
    assert_eq!(page.remaining(&LOGIN, "ann").await, 5);
    assert_eq!(
        page.remaining(&SEARCH, "ann").await,
        99,
        "of the other policy"
    );
    assert_eq!(*audit.0.lock().unwrap(), ["login user=ann Reset"]);

    let answer = page.send("?view=change", &form("block", "", "yes")).await;
    assert_eq!(
        answer.header("Location"),
        Some("?identity=user%3Dann&done=block")
    );
    assert_eq!(page.remaining(&LOGIN, "ann").await, 0);
    assert_eq!(page.remaining(&SEARCH, "ann").await, 0);
    let view = page.look("?identity=user%3Dann&done=block").await;
    assert!(view.text().contains("It is blocked.") && view.text().contains("10 min"));
    page.app.after_seconds(599);
    assert_eq!(page.remaining(&LOGIN, "ann").await, 0);

    page.send("?view=change", &form("unblock", "", "yes")).await;
    assert_eq!(page.remaining(&LOGIN, "ann").await, 5);
    let audit = audit.0.lock().unwrap().clone();
    assert_eq!(
        audit[1..],
        [
            "login user=ann Block(600s)",
            "search user=ann Block(600s)",
            "login user=ann Unblock",
            "search user=ann Unblock",
        ]
    );
    let overview = page.look("").await;
    assert!(overview.text().contains("Changed by hand"));
}

#[actix_web::test]
async fn nonsense_is_refused_and_changes_nothing() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    let long = "x".repeat(5_000);
    for (fields, status) in [
        (&[] as &[_], 404),
        (
            &[("identity", ""), ("change", "reset"), ("confirmed", "yes")],
            404,
        ),
        (&[("identity", "user=ann"), ("confirmed", "yes")], 400),
        (
            &[
                ("identity", "user=ann"),
                ("change", "delete"),
                ("confirmed", "yes"),
            ],
            400,
        ),
        (
            &[
                ("identity", "user=ann"),
                ("change", "block"),
                ("confirmed", "yes"),
            ],
            400,
        ),
        (
            &[
                ("identity", "user=ann"),
                ("change", "block"),
                ("length", "900d"),
                ("confirmed", "yes"),
            ],
            400,
        ),
        (
            &[
                ("identity", "user=ann"),
                ("change", "reset"),
                ("policy", "other"),
                ("confirmed", "yes"),
            ],
            400,
        ),
        (
            &[
                ("identity", &long),
                ("change", "reset"),
                ("confirmed", "yes"),
            ],
            400,
        ),
    ] {
        let answer = page.send("?view=change", fields).await;
        assert_eq!(answer.status, status, "{fields:?}");
    }
    assert_eq!(page.send("", &form("reset", "", "yes")).await.status, 405);
    assert_eq!(
        page.send("?view=find", &[("identity", &"x".repeat(20_000))])
            .await
            .status,
        400
    );
    assert_eq!(page.remaining(&LOGIN, "ann").await, 0);
}

#[actix_web::test]
async fn secret_value_is_found_and_in_no_address() {
    let page = Page::new().await;
    let key = Identity::header("X-Api-Key", "k-8a2f");
    page.tries(&LOGIN, &key, 1).await;
    let written = "header.X-Api-Key=k-8a2f";
    let answer = page.send("?view=find", &[("identity", written)]).await;
    assert_eq!(answer.status, 200, "no address for it");
    assert!(answer.text().contains("4 of 5"));
    let fields = [
        ("identity", written),
        ("change", "reset"),
        ("confirmed", "yes"),
    ];
    let answer = page.send("?view=change", &fields).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("5 of 5"));
    // An identity without a secret has an address.
    let answer = page
        .send("?view=find", &[("identity", " 192.0.2.1 ")])
        .await;
    let address = Some("?identity=ip%3D192%2E0%2E2%2E1");
    assert_eq!((answer.status, answer.header("Location")), (303, address));
}

#[actix_web::test]
async fn denied_secret_is_found_by_its_hash() {
    let page = Page::new().await;
    let key = Identity::header("X-Api-Key", "k-8a2f");
    let text = key.to_string();
    let address = format!("?identity={}", text.replace('#', "%23"));
    assert_eq!(page.look(&address).await.status, 404, "not denied yet");
    page.tries(&LOGIN, &key, 9).await;
    let answer = page.look(&address).await;
    assert!(answer.text().contains("no room"), "{}", answer.text());
    let fields = [
        ("identity", text.as_str()),
        ("change", "reset"),
        ("confirmed", "yes"),
    ];
    assert_eq!(page.send("?view=change", &fields).await.status, 303);
    assert_eq!(page.remaining(&LOGIN, &key).await, 5);
}

#[actix_web::test]
async fn concurrency_limit_is_reset_and_never_blocked() {
    let page = Page::new().await;
    let permits = Concurrency::new(1).name("exports");
    let semaphore = page.limiter().semaphore(&permits, "ann");
    let held = semaphore.acquire().await.expect("in memory");
    let answer = page.look("?identity=user%3Dann").await;
    assert!(answer.text().contains("1 at once") && answer.text().contains("0 of 1"));
    let policy = page.look("?policy=exports&format=json").await.json();
    assert_eq!(policy["permits"], 1);
    assert_eq!(
        page.send("?view=change", &form("block", "exports", "yes"))
            .await
            .status,
        400
    );
    assert_eq!(
        page.send("?view=change", &form("reset", "exports", "yes"))
            .await
            .status,
        303
    );
    let answer = page.look("?identity=user%3Dann").await;
    assert!(answer.text().contains("1 of 1"), "{}", answer.text());
    drop(held);
    let policy = page.look("?policy=exports&format=json").await.json();
    assert_eq!(policy["permits"], 0);
}

#[actix_web::test]
async fn limits_of_one_policy_are_all_changed() {
    let page = Page::new().await;
    let limits = [3, 7].map(|times| {
        Limit::per_hour(times)
            .name("plan")
            .zone(["free", "pro"][times as usize / 5])
    });
    for limit in &limits {
        page.tries(limit, "ann", 2).await;
    }
    let view = page.look("?identity=user%3Dann").await;
    assert!(
        view.text().contains("1 of 3") && view.text().contains("5 of 7"),
        "{}",
        view.text()
    );
    page.send("?view=change", &form("reset", "plan", "yes"))
        .await;
    assert_eq!(page.remaining(&limits[0], "ann").await, 3);
    assert_eq!(page.remaining(&limits[1], "ann").await, 7);
}
