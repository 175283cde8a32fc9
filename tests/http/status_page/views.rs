//! The texts of the views and of the snapshot.

use std::time::Duration;

use actix_throttle::{Identity, Limit};

use super::{LOGIN, Page, SEARCH};

#[actix_web::test]
async fn snapshot_counts_now_and_over_the_last_hour() {
    let page = Page::new().await;
    page.app
        .after_seconds(60 - page.app.clock.now().as_secs() % 60);
    page.tries(&LOGIN, "ann", 9).await;
    page.app.after_seconds(1);
    let snapshot = page.limiter().snapshot();
    let login = &snapshot.policies[0];
    assert_eq!((login.admitted.total, login.denied.total), (5, 4));
    assert_eq!(
        (login.admitted.per_second, login.denied.per_second),
        (0.5, 0.4)
    );
    assert_eq!(login.admitted.minutes[59], 5);
    page.app.after_seconds(30 * 60);
    page.tries(&LOGIN, "bob", 1).await;
    let login = &page.limiter().snapshot().policies[0];
    assert_eq!((login.admitted.hour, login.admitted.per_second), (6, 0.0));
    assert_eq!(
        (login.admitted.minutes[29], login.admitted.minutes[59]),
        (5, 1)
    );
    page.app.after_seconds(31 * 60);
    let login = &page.limiter().snapshot().policies[0];
    assert_eq!((login.admitted.hour, login.denied.hour), (1, 0));
    assert_eq!(login.admitted.total, 6);
}

#[actix_web::test]
async fn snapshot_names_who_is_denied_most() {
    let page = Page::new().await;
    let key = Identity::header("X-Api-Key", "k-8a2f");
    for (times, identity) in [
        (20, Identity::new("ann")),
        (9, key.clone()),
        (6, "192.0.2.1".parse::<std::net::IpAddr>().unwrap().into()),
    ] {
        page.tries(&LOGIN, identity, times).await;
    }
    let snapshot = page.limiter().snapshot();
    let denied: Vec<_> = snapshot.policies[0]
        .denied_most
        .iter()
        .map(|one| (one.identity.as_str(), one.denied, one.excess))
        .collect();
    let key = key.to_string();
    assert_eq!(
        denied,
        [("user=ann", 15, 0), (&key, 4, 0), ("ip=192.0.2.1", 1, 0)]
    );
    let masked = snapshot.masked();
    let masked: Vec<_> = masked.policies[0]
        .denied_most
        .iter()
        .map(|one| one.identity.as_str())
        .collect();
    assert_eq!(masked, ["user #1", "header.x-api-key #2", "ip #3"]);
    page.app.after_seconds(3_700);
    assert!(
        page.limiter().snapshot().policies[0].denied_most.is_empty(),
        "an hour ago"
    );
}

#[actix_web::test]
async fn snapshot_stays_bounded_in_a_flood() {
    let page = Page::new().await;
    let names: Vec<&'static str> = (0..400)
        .map(|n| &*Box::leak(format!("policy {n}").into_boxed_str()))
        .collect();
    for name in names {
        page.tries(&Limit::per_minute(1).name(name), "ann", 2).await;
    }
    let single = Limit::per_minute(1).name("policy 0");
    for client in 0..2_000 {
        page.tries(&single, &format!("client {client}"), 2).await;
    }
    let snapshot = page.limiter().snapshot();
    assert_eq!(snapshot.policies.len(), 256);
    assert_eq!(snapshot.decisions_left_out, 2 * (400 - 256));
    assert_eq!(snapshot.policies[0].denied_most.len(), 10);
    let json = page.look("?format=json").await;
    assert!(json.body.len() < 1_000_000, "{}", json.body.len());
}

#[actix_web::test]
async fn shadow_limit_denies_nobody_and_says_so() {
    let page = Page::new().await;
    let shadow = Limit::per_minute(1).name("candidate").shadow();
    page.tries(&shadow, "ann", 4).await;
    let policy = page.look("?policy=candidate&format=json").await.json();
    assert_eq!(policy["admitted"]["total"], 1);
    assert_eq!(policy["denied"]["total"], 0);
    assert_eq!(policy["shadow_denied"]["total"], 3);
    assert_eq!(policy["denied_most"][0]["identity"], "user=ann");
    let view = page.look("?policy=candidate").await;
    assert!(view.text().contains("Would have been denied") && view.text().contains(">shadow<"));
}

#[actix_web::test]
async fn every_view_is_there_as_json() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    page.limiter()
        .block(&SEARCH, "ann", Duration::from_secs(9))
        .await
        .expect("in memory");
    let overview = page.look("?format=json").await;
    assert_eq!(overview.header("Content-Type"), Some("application/json"));
    let overview = overview.json();
    assert_eq!(overview["store"]["kind"], "memory");
    assert_eq!(overview["store"]["circuit"], "closed");
    assert_eq!(overview["policies"][0]["name"], "login");
    assert_eq!(
        overview["policies"][0]["limits"][0]["text"],
        "5 per 1m, sliding_window"
    );
    assert_eq!(overview["changes"][0]["change"], "block");
    assert_eq!(overview["changes"][0]["seconds"], 9.0);
    let policy = page.look("?policy=login&format=json").await.json();
    assert_eq!(policy, overview["policies"][0]);
    let identity = page.look("?identity=user%3Dann&format=json").await.json();
    assert_eq!(identity["identity"], "user=ann");
    assert_eq!(identity["limits"][0]["policy"], "login");
    assert_eq!(identity["limits"][0]["remaining"], 0);
    assert_eq!(identity["limits"][0]["is_exceeded"], true);
    assert_eq!(identity["limits"][0]["is_blocked"], false);
    assert_eq!(
        page.look("?view=configuration&format=json").await.json(),
        serde_json::Value::Null
    );
    for query in ["?policy=other&format=json", "?view=other&format=json"] {
        let answer = page.look(query).await;
        assert_eq!(answer.status, 404);
        assert!(answer.json()["error"].is_string());
    }
}

#[actix_web::test]
async fn only_views_without_a_form_load_themselves() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 9).await;
    for (query, expected) in [
        ("", true),
        ("?policy=login", true),
        ("?view=configuration", true),
        ("?refresh=off", false),
        ("?policy=login&refresh=off", false),
        ("?identity=user%3Dann", false),
        ("?view=find", false),
    ] {
        let answer = page.look(query).await;
        assert_eq!(
            answer.text().contains("http-equiv=\"refresh\""),
            expected,
            "{query}"
        );
        let is_form = answer.text().contains("<form");
        assert!(!(is_form && expected), "{query}");
    }
}

#[actix_web::test]
async fn identity_is_asked_only_for_limits_that_count_its_kind() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 1).await;
    let client: std::net::IpAddr = "192.0.2.1".parse().unwrap();
    page.tries(&SEARCH, client, 1).await;
    let limits = |answer: serde_json::Value| -> Vec<String> {
        let limits = answer["limits"].as_array().expect("a list");
        limits
            .iter()
            .map(|one| one["policy"].as_str().expect("a name").to_owned())
            .collect()
    };
    let user = page.look("?identity=user%3Dbob&format=json").await.json();
    assert_eq!(limits(user), ["login"]);
    let client = page.look("?identity=192.0.2.7&format=json").await.json();
    assert_eq!(limits(client), ["search"]);
}
