//! The requests that share a counter.

use actix_throttle::{Identity, rate_limit};
use actix_web::{HttpRequest, get, web, web::ServiceConfig};

use harness::http::app::{CLIENT, TestApp, get};

#[get("/zone/a")]
#[rate_limit(times = 4, seconds = 5, zone = "http::zones::shared")]
async fn zone_a() -> &'static str {
    "ok"
}

#[get("/zone/b")]
#[rate_limit(times = 4, seconds = 5, zone = "http::zones::shared")]
async fn zone_b() -> &'static str {
    "ok"
}

/// The zone and window of the others with another algorithm, which makes a counter of its own.
#[get("/zone/fixed")]
#[rate_limit(
    times = 4,
    seconds = 5,
    zone = "http::zones::shared",
    algorithm = "fixed_window"
)]
async fn zone_fixed() -> &'static str {
    "ok"
}

/// The zone and window of the others with another quota: it uses the same counter.
#[get("/zone/more")]
#[rate_limit(times = 6, seconds = 5, zone = "http::zones::shared")]
async fn zone_more() -> &'static str {
    "ok"
}

#[get("/items/{id}")]
#[rate_limit(times = 2, seconds = 5)]
async fn item(id: web::Path<u32>) -> String {
    id.to_string()
}

#[get("/alike/one")]
#[rate_limit(times = 2, seconds = 5)]
async fn alike_one() -> &'static str {
    "ok"
}

#[get("/alike/two")]
#[rate_limit(times = 2, seconds = 5)]
async fn alike_two() -> &'static str {
    "ok"
}

mod elsewhere {
    use actix_throttle::rate_limit;
    use actix_web::get;

    /// A handler with the name of another module's handler.
    #[get("/elsewhere/one")]
    #[rate_limit(times = 2, seconds = 5)]
    pub(super) async fn alike_one() -> &'static str {
        "ok"
    }
}

#[get("/kinds/ip")]
#[rate_limit("4/minute", zone = "http::zones::kinds", identifier = ip)]
async fn kind_ip() -> &'static str {
    "ok"
}

#[get("/kinds/header")]
#[rate_limit("4/minute", zone = "http::zones::kinds", identifier = header("X-Api-Key"))]
async fn kind_header() -> &'static str {
    "ok"
}

#[get("/kinds/spelled")]
#[rate_limit("4/minute", zone = "http::zones::kinds", identifier = header("x-API-key"))]
async fn kind_header_spelled() -> &'static str {
    "ok"
}

#[get("/kinds/other-header")]
#[rate_limit("4/minute", zone = "http::zones::kinds", identifier = header("X-Token"))]
async fn kind_other_header() -> &'static str {
    "ok"
}

#[get("/kinds/cookie")]
#[rate_limit("4/minute", zone = "http::zones::kinds", identifier = cookie("X-Api-Key"))]
async fn kind_cookie() -> &'static str {
    "ok"
}

fn by_user(request: &HttpRequest) -> Option<String> {
    let user = request.headers().get("X-User")?.to_str().ok()?;
    Some(user.to_owned())
}

fn by_session(request: &HttpRequest) -> Option<Identity> {
    let session = request.headers().get("X-Session")?.to_str().ok()?;
    Some(Identity::new(session))
}

/// Two functions that may return the same identity. They are counted separately, because the
/// identifiers differ.
#[get("/stacked")]
#[rate_limit(times = 5, seconds = 10, identifier = by_user)]
#[rate_limit(times = 2, seconds = 10, identifier = by_session)]
async fn stacked() -> &'static str {
    "ok"
}

/// Both limits are in one zone on purpose: where their identities are equal, they share a counter.
#[get("/merged")]
#[rate_limit(times = 5, seconds = 10, zone = "merged", identifier = by_user)]
#[rate_limit(times = 10, seconds = 10, zone = "merged", identifier = by_session, cost = 5)]
async fn merged() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((zone_a, zone_b, zone_fixed, zone_more))
        .service((kind_ip, kind_header, kind_header_spelled))
        .service((kind_other_header, kind_cookie))
        .service((
            item,
            alike_one,
            alike_two,
            elsewhere::alike_one,
            stacked,
            merged,
        ));
}

#[actix_web::test]
async fn handlers_of_one_zone_share_one_counter() {
    let service = TestApp::new().await.service(routes).await;
    for (path, remaining) in [
        ("/zone/a", 3),
        ("/zone/b", 2),
        ("/zone/b", 1),
        ("/zone/a", 0),
    ] {
        assert_eq!(service.get(path).await.remaining(), Some(remaining));
    }
    assert_eq!(service.get("/zone/a").await.status, 429);
    assert_eq!(service.get("/zone/b").await.status, 429);
    assert_eq!(service.get("/zone/more").await.quota(), Some([6, 1, 5]));
    assert_eq!(service.get("/zone/fixed").await.remaining(), Some(3));
}

/// Identities of several kinds with equal text, or with the client's address for a missing value.
#[actix_web::test]
async fn in_one_zone_identities_of_several_kinds_never_meet() {
    let service = TestApp::new().await.service(routes).await;
    let with = |path, value| {
        get(path)
            .insert_header(("X-Api-Key", value))
            .insert_header(("X-Token", value))
            .insert_header(("Cookie", format!("X-Api-Key={value}")))
    };
    for (path, remaining) in [
        ("/kinds/ip", 3),
        ("/kinds/header", 3),
        ("/kinds/spelled", 2),
        ("/kinds/other-header", 3),
        ("/kinds/cookie", 3),
    ] {
        let answer = service.send(with(path, CLIENT)).await;
        assert_eq!(answer.remaining(), Some(remaining), "{path}");
    }
    for (path, remaining) in [
        ("/kinds/ip", 2),
        ("/kinds/header", 3),
        ("/kinds/spelled", 2),
        ("/kinds/other-header", 3),
        ("/kinds/cookie", 3),
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.remaining(), Some(remaining), "{path} with nothing");
    }
}

#[actix_web::test]
async fn zone_is_the_handler_and_not_the_raw_path() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/items/1").await.remaining(), Some(1));
    assert_eq!(service.get("/items/2").await.remaining(), Some(0));
    for path in ["/items/1", "/items/3", "/items/%31", "/items/1?x=2"] {
        assert_eq!(service.get(path).await.status, 429, "{path}");
    }
}

#[actix_web::test]
async fn limits_of_one_shape_on_several_handlers_count_apart() {
    let service = TestApp::new().await.service(routes).await;
    for path in ["/alike/one", "/alike/two", "/elsewhere/one", "/items/1"] {
        assert_eq!(service.statuses(path, 3).await, [200, 200, 429], "{path}");
    }
}

#[actix_web::test]
async fn one_handler_on_several_paths_counts_in_one() {
    let routes = |config: &mut ServiceConfig| {
        config
            .service(web::scope("/v1").service(alike_one))
            .service(web::scope("/v2").service(alike_one));
    };
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/v1/alike/one").await.remaining(), Some(1));
    assert_eq!(service.get("/v2/alike/one").await.remaining(), Some(0));
}

#[actix_web::test]
async fn a_user_and_a_session_of_one_name_do_not_count_in_one() {
    let service = TestApp::new().await.service(routes).await;
    let request = |user: &str, session: &str| {
        get("/stacked")
            .insert_header(("X-User", user.to_owned()))
            .insert_header(("X-Session", session.to_owned()))
    };
    for session in ["s1", "s2", "s3", "s4", "s5"] {
        assert_eq!(service.send(request("42", session)).await.status, 200);
    }
    assert_eq!(service.send(request("42", "s6")).await.status, 429);
    // The session 42 is another identity than the user 42.
    for status in [200, 200, 429] {
        assert_eq!(service.send(request("ann", "42")).await.status, status);
    }
}

#[actix_web::test]
async fn stricter_limit_wins_within_zone_and_identity() {
    let service = TestApp::new().await.service(routes).await;
    let as_one = |user: &str| {
        get("/merged")
            .insert_header(("X-User", user))
            .insert_header(("X-Session", user))
    };
    // A quota of ten at a cost of five admits two requests, fewer than a quota of five.
    for status in [200, 200, 429] {
        assert_eq!(service.send(as_one("ann")).await.status, status);
    }
}

#[actix_web::test]
async fn stacked_limits_of_one_identity_both_hold() {
    let service = TestApp::new().await.service(routes).await;
    let as_one = |user: &str| {
        get("/stacked")
            .insert_header(("X-User", user))
            .insert_header(("X-Session", user))
    };
    for remaining in [1, 0] {
        let answer = service.send(as_one("ann")).await;
        assert_eq!((answer.status, answer.remaining()), (200, Some(remaining)));
    }
    let denied = service.send(as_one("ann")).await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(10)));
}

#[actix_web::test]
async fn stacked_limits_of_two_identities_both_hold() {
    let service = TestApp::new().await.service(routes).await;
    let as_two = |session: &str| {
        get("/stacked")
            .insert_header(("X-User", "ann"))
            .insert_header(("X-Session", session))
    };
    for (session, status) in [
        ("s1", 200),
        ("s1", 200),
        ("s1", 429),
        ("s2", 200),
        ("s2", 200),
        ("s3", 200),
        // The user's five are used up; these denials are not charged to the session.
        ("s4", 429),
        ("s4", 429),
    ] {
        let answer = service.send(as_two(session)).await;
        assert_eq!(answer.status, status, "{session}");
    }
}
