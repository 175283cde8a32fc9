//! Several limits on one handler.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_throttle::{HeaderStyle, rate_limit, rate_limit as limited};
use actix_web::{get, web::ServiceConfig};

use super::support::World;

#[get("/stacked")]
#[rate_limit(times = 3, seconds = 1)]
#[rate_limit(times = 5, seconds = 10)]
async fn stacked() -> &'static str {
    "ok"
}

/// Split by other attributes.
#[rate_limit(times = 3, seconds = 1)]
#[get("/apart")]
#[allow(clippy::unused_async)]
#[rate_limit(times = 5, seconds = 10)]
async fn apart() -> &'static str {
    "ok"
}

#[get("/renamed")]
#[limited(times = 2, seconds = 5)]
async fn renamed() -> &'static str {
    "ok"
}

#[get("/renamed-above")]
#[limited(times = 3, seconds = 1)]
#[rate_limit(times = 5, seconds = 10)]
async fn renamed_above() -> &'static str {
    "ok"
}

/// Two decisions: first what stands below, and if that admits, what stands above.
#[get("/renamed-below")]
#[rate_limit(times = 5, seconds = 10)]
#[limited(times = 3, seconds = 1)]
async fn renamed_below(number: actix_web::web::Query<Vec<(String, u32)>>) -> String {
    BELOW.fetch_add(1, Ordering::SeqCst);
    format!("{:?}", number.into_inner())
}

static BELOW: AtomicUsize = AtomicUsize::new(0);

/// The shape twice: the counters are two all the same.
#[get("/renamed-alike")]
#[rate_limit(times = 4, seconds = 10)]
#[limited(times = 4, seconds = 10)]
async fn renamed_alike() -> &'static str {
    "ok"
}

#[get("/conditional")]
#[rate_limit(times = 5, seconds = 10)]
#[cfg_attr(not(any()), rate_limit(times = 3, seconds = 1))]
async fn conditional() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((stacked, apart, renamed, renamed_above))
        .service((renamed_below, renamed_alike, conditional));
}

/// Three a second, five in ten seconds: both hold, and what one denies the other is not charged.
#[actix_web::test]
async fn both_limits_hold_and_denials_charge_neither() {
    for path in ["/stacked", "/apart", "/renamed-above"] {
        let world = World::new().await;
        let site = world.site(routes).await;
        for remaining in [2, 1, 0] {
            let answer = site.get(path).await;
            assert_eq!((answer.status, answer.remaining()), (200, Some(remaining)));
        }
        // Were the wider limit charged for these, it would have no room left.
        for _ in 0..10 {
            let denied = site.get(path).await;
            assert_eq!(denied.status, 429, "{path}");
            assert_eq!(denied.quota(), Some([3, 0, 1]), "{path}");
            assert_eq!(denied.retry_after(), Some(1), "{path}");
        }
        world.after_seconds(1);
        assert_eq!(site.get(path).await.quota(), Some([5, 1, 10]), "{path}");
        assert_eq!(site.get(path).await.quota(), Some([5, 0, 10]), "{path}");
        // Nor is the narrower charged for what the wider denies.
        for _ in 0..10 {
            let denied = site.get(path).await;
            assert_eq!(denied.status, 429, "{path}");
            assert_eq!(denied.quota(), Some([5, 0, 10]), "{path}");
            assert_eq!(denied.retry_after(), Some(9), "{path}");
        }
        world.after_seconds(9);
        assert_eq!(site.statuses(path, 4).await, [200, 200, 200, 429], "{path}");
    }
}

#[actix_web::test]
async fn attribute_under_another_name_limits() {
    let site = World::new().await.site(routes).await;
    assert_eq!(site.get("/renamed").await.quota(), Some([2, 1, 5]));
    assert_eq!(site.statuses("/renamed", 2).await, [200, 429]);
}

#[actix_web::test]
async fn attributes_under_two_names_both_hold() {
    let world = World::with(|builder| builder.headers(HeaderStyle::Both)).await;
    let site = world.site(routes).await;
    let path = "/renamed-below?n=7";
    let first = site.get(path).await;
    assert_eq!(first.text(), r#"[("n", 7)]"#);
    assert_eq!(first.quota(), Some([3, 2, 1]), "the stricter of both");
    assert_eq!(
        first.header("RateLimit"),
        Some(r#""renamed_below-2";r=2;t=1, "renamed_below";r=4;t=10"#)
    );
    assert_eq!(
        first.header("RateLimit-Policy"),
        Some(r#""renamed_below-2";q=3;w=1, "renamed_below";q=5;w=10"#)
    );
    assert_eq!(site.statuses(path, 2).await, [200, 200]);

    let denied = site.get(path).await;
    assert_eq!(denied.status, 429);
    assert_eq!(denied.quota(), Some([3, 0, 1]), "the one that denied");
    assert_eq!(denied.retry_after(), Some(1));
    assert_eq!(
        denied.header("RateLimit"),
        Some(r#""renamed_below-2";r=0;t=1"#),
        "the other was not asked"
    );
    assert_eq!(BELOW.load(Ordering::SeqCst), 3, "denied means not run");

    world.after_seconds(1);
    assert_eq!(site.get(path).await.quota(), Some([5, 1, 10]));
    assert_eq!(site.get(path).await.quota(), Some([5, 0, 10]));
    let denied = site.get(path).await;
    assert_eq!(denied.status, 429);
    assert_eq!(denied.quota(), Some([5, 0, 10]), "the one that denied");
    assert_eq!(denied.retry_after(), Some(9));
    assert_eq!(
        denied.header("RateLimit"),
        Some(r#""renamed_below-2";r=0;t=1, "renamed_below";r=0;t=10"#),
        "both were asked"
    );
    assert_eq!(BELOW.load(Ordering::SeqCst), 5);
}

#[actix_web::test]
async fn equal_shapes_under_two_names_have_two_counters() {
    let world = World::with(|builder| builder.headers(HeaderStyle::Ietf)).await;
    let site = world.site(routes).await;
    let first = site.get("/renamed-alike").await;
    assert_eq!(
        first.header("RateLimit"),
        Some(r#""renamed_alike-2";r=3;t=10, "renamed_alike";r=3;t=10"#)
    );
    assert_eq!(
        site.statuses("/renamed-alike", 4).await,
        [200, 200, 200, 429]
    );
}

#[actix_web::test]
async fn attribute_out_of_cfg_attr_limits_beside_another() {
    let world = World::new().await;
    let site = world.site(routes).await;
    assert_eq!(site.statuses("/conditional", 4).await, [200, 200, 200, 429]);
    world.after_seconds(1);
    assert_eq!(site.statuses("/conditional", 3).await, [200, 200, 429]);
}
