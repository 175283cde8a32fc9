//! The page looks an identity up in the store: blocks, the offences that they remember, and
//! limits that have not decided anything.

use std::time::Duration;

use actix_throttle::{Enforcement, Limit};
use serde_json::json;

use super::Page;

const LOGIN: Limit = Limit::per_second(1).name("login").block_steps(&[
    Duration::from_secs(60),
    Duration::from_secs(600),
    Duration::from_secs(7_200),
]);
const ANN: &str = "?identity=user%3Dann";
const ANN_AS_JSON: &str = "?identity=user%3Dann&format=json";

#[actix_web::test]
async fn block_shows_its_end_its_step_and_the_next_one() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 2).await;
    page.app.after_seconds(60);
    page.tries(&LOGIN, "ann", 2).await;
    page.app.after_seconds(100);
    let now = page.app.clock.now().as_secs();
    let limit = page.look(ANN_AS_JSON).await.json()["limits"][0].clone();
    assert_eq!(limit["is_blocked"], true);
    assert_eq!(limit["block"]["left_seconds"], 500.0);
    assert_eq!(
        limit["block"]["until"].as_f64().map(|at| at as u64),
        Some(now + 500)
    );
    let offences = json!({
        "count": 2, "step": 2, "steps": 3,
        "next_block_seconds": 7_200.0, "forgotten_after_seconds": 7_700.0,
    });
    assert_eq!(limit["offences"], offences);
    for admin in ["full", "read"] {
        let view = page.look_as(admin, ANN).await;
        for text in [
            ">blocked<",
            "for 9 min",
            "until ",
            "offence 2 of 3",
            "the next one blocks for 2.0 h",
            "forgotten in 2.1 h",
        ] {
            assert!(view.text().contains(text), "{text}: {}", view.text());
        }
    }
}

#[actix_web::test]
async fn offences_are_shown_until_they_are_forgotten() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 2).await;
    page.app.after_seconds(60);
    let limit = page.look(ANN_AS_JSON).await.json()["limits"][0].clone();
    assert_eq!(
        (&limit["is_blocked"], &limit["block"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(limit["offences"]["count"], 1);
    let view = page.look(ANN).await;
    assert!(view.text().contains(">has room<"), "{}", view.text());
    assert!(view.text().contains("offence 1 of 3"), "{}", view.text());
    page.app.after_seconds(7_200);
    let limit = page.look(ANN_AS_JSON).await.json()["limits"][0].clone();
    assert_eq!(limit["offences"], json!(null));
    assert!(!page.look(ANN).await.text().contains("offence"));
}

#[actix_web::test]
async fn block_of_a_limit_that_has_not_decided_anything_is_found() {
    let page = Page::new().await;
    let limiter = page.limiter();
    let length = Duration::from_secs(600);
    limiter
        .block(&LOGIN, "ann", length)
        .await
        .expect("in memory");
    let data = page.look(ANN_AS_JSON).await.json();
    assert_eq!(data["limits"], json!([]));
    let look_up = &data["look_up"];
    assert_eq!(
        (&look_up["is_complete"], &look_up["error"]),
        (&json!(true), &json!(null))
    );
    let others = look_up["others"].as_array().expect("a list");
    assert_eq!(others.len(), 1, "{data}");
    assert_eq!(
        (&others[0]["limit"], &others[0]["zone"]),
        (&json!("block"), &json!("login"))
    );
    assert_eq!(others[0]["block"]["left_seconds"], 600.0);
    let view = page.look(ANN).await;
    for text in ["Also in the store", ">blocked<", "for 10 min"] {
        assert!(view.text().contains(text), "{text}: {}", view.text());
    }
    // Once the limit decides, its block is in its own row.
    page.tries(&LOGIN, "ann", 1).await;
    let data = page.look(ANN_AS_JSON).await.json();
    assert_eq!(data["look_up"]["others"], json!([]), "{data}");
    assert_eq!(data["limits"][0]["block"]["left_seconds"], 600.0);
    let bob = page.look("?identity=user%3Dbob").await;
    assert!(!bob.text().contains("Also in the store"), "{}", bob.text());
}

#[actix_web::test]
async fn nothing_is_looked_up_while_limits_are_off() {
    let page = Page::new().await;
    page.tries(&LOGIN, "ann", 2).await;
    page.limiter().set_enforcement(Enforcement::Off);
    let data = page.look(ANN_AS_JSON).await.json();
    assert_eq!(
        (&data["limits"], &data["look_up"]["others"]),
        (&json!([]), &json!([]))
    );
}

/// A look at an identity asks for 64 limits. What the store counts for the others is found by the
/// search, though they have decided.
#[actix_web::test]
async fn limits_without_a_row_are_not_said_to_have_decided_nothing() {
    let page = Page::new().await;
    let names: Vec<&'static str> = (0..65)
        .map(|index| &*format!("limit{index}").leak())
        .collect();
    let try_all = async |names: &[&'static str]| {
        for name in names {
            let limit = Limit::per_hour(3).name(name).zone(name);
            page.tries(&limit, "ann", 1).await;
        }
    };
    try_all(&names[..64]).await;
    assert!(!page.look(ANN).await.text().contains("Also in the store"));
    try_all(&names[64..]).await;
    let view = page.look(ANN).await;
    for text in [
        "1 further limits are not shown",
        "Also in the store",
        "Limits that have no row above.",
    ] {
        assert!(view.text().contains(text), "{text}: {}", view.text());
    }
    assert!(!view.text().contains("have not decided"), "{}", view.text());
    let data = page.look(ANN_AS_JSON).await.json();
    assert_eq!(data["limits_left_out"], 1);
    let others = data["look_up"]["others"].as_array().map(Vec::len);
    assert_eq!(others, Some(1), "{data}");
}
