//! The path that the middleware matches its regexes against, and attempts of hostile clients to
//! evade it.

use actix_throttle::{Limit, Paths, Rule, Throttle};
use actix_web::{
    App, HttpResponse,
    middleware::NormalizePath,
    web::{self, ServiceConfig},
};

use super::throttle::{anything, decided};
use harness::http::app::{TestApp, TestService, get};

fn rule(times: u32) -> Rule {
    Rule::new(Limit::per_minute(times))
}

fn over(regex: &str) -> Throttle {
    Throttle::new().paths(regex, [rule(1)]).expect("an entry")
}

#[actix_web::test]
async fn path_spelled_otherwise_is_the_same_path() {
    let routes = |config: &mut ServiceConfig| {
        config.route("/towns", web::to(|| async { "towns" }));
    };
    let test_app = TestApp::new().await;
    for path in [
        "/towns",
        "/%74owns",
        "/%74%6f%77%6E%73",
        "/towns?x=1",
        "/%74owns?/forests",
    ] {
        let service = test_app.behind(over("^/towns$"), routes).await;
        let answer = service.get(path).await;
        assert_eq!(
            (answer.text(), decided(&answer)),
            ("towns", Some(1)),
            "{path}"
        );
        test_app.after_seconds(60);
    }
}

#[actix_web::test]
async fn regex_sees_what_the_router_sees() {
    let test_app = TestApp::new().await;
    let service = test_app.behind(over("^/a%2Fb$"), anything).await;
    // A percent-encoded slash, percent or plus stays encoded for both.
    assert_eq!(decided(&service.get("/a%2Fb").await), Some(1));
    assert_eq!(decided(&service.get("/a/b").await), None);
    let service = test_app.behind(over(r"^/\d+$"), anything).await;
    assert_eq!(decided(&service.get("/12").await), Some(1));
    assert_eq!(decided(&service.get("/12%20").await), None);
    assert_eq!(decided(&service.get("/?path=/12").await), None);
}

#[actix_web::test]
async fn hostile_paths_never_bypass_a_global_limit() {
    let many = (0..20).map(|number| (format!("(a|aa)+{number}$"), number));
    let mut throttle = Throttle::new();
    for (regex, number) in many {
        throttle = throttle.paths(regex, [rule(number + 1)]).expect("an entry");
    }
    let throttle = throttle.paths("", [rule(1_000)]).expect("an entry");
    let service = TestApp::new().await.behind(throttle, anything).await;
    let long = format!("/{}", "a".repeat(60_000));
    let deep = "/x".repeat(30_000);
    let paths = [
        "*",
        "//",
        "/./..//",
        "/%",
        "/%zz",
        "/%00",
        "/%ff%fe",
        "/%c3%28",
        "/%25%32%46",
        "/{}",
        "/\\",
        "/%F0%9F%92%A3",
        "/;a=b",
        &long,
        &deep,
    ];
    for path in paths {
        let Ok(_) = path.parse::<actix_web::http::Uri>() else {
            continue;
        };
        let answer = service.get(path).await;
        assert_eq!(
            (answer.status, decided(&answer)),
            (200, Some(1_000)),
            "{path:.80}"
        );
    }
}

#[actix_web::test]
async fn patterns_are_those_of_routes() {
    let throttle = || {
        let users = Paths::pattern(r"^/api/user/\{id\}$").expect("a regex");
        Throttle::new().paths(users, [rule(2)]).expect("an entry")
    };
    let routes = |config: &mut ServiceConfig| {
        let answer = || web::to(|| async { "ok" });
        let user = web::scope("/user")
            .route("/me", answer())
            .route("/{id}", answer());
        config.service(web::scope("/api").service(user));
    };
    let test_app = TestApp::new().await;
    let service = test_app.behind(throttle(), routes).await;
    assert_eq!(service.get("/api/user/1").await.remaining(), Some(1));
    assert_eq!(service.get("/%61pi/us%65r/2").await.remaining(), Some(0));
    assert_eq!(service.get("/api/user/3").await.status, 429);
    assert!(service.get("/api/user/me").await.is_unlimited());
    assert_eq!(service.get("/api/users").await.status, 404);
}

#[actix_web::test]
async fn pattern_is_known_on_a_resource_too() {
    let test_app = TestApp::new().await;
    let users = Paths::pattern(r"^/user/\{id\}$").expect("a regex");
    let throttle = Throttle::new().paths(users, [rule(1)]).expect("an entry");
    let service = TestService::of(
        App::new().app_data(test_app.limiter.clone()).service(
            web::resource("/user/{id}")
                .wrap(throttle)
                .to(HttpResponse::Ok),
        ),
    )
    .await;
    assert_eq!(service.statuses("/user/1", 2).await, [200, 429]);
}

#[actix_web::test]
async fn normalized_path_is_what_counts_if_it_is_normalized_first() {
    let test_app = TestApp::new().await;
    let app = || {
        App::new()
            .app_data(test_app.limiter.clone())
            .configure(anything)
    };
    let inside = app().wrap(over("^/towns$")).wrap(NormalizePath::trim());
    let service = TestService::of(inside).await;
    assert_eq!(decided(&service.get("//towns/").await), Some(1));
    let outside = app().wrap(NormalizePath::trim()).wrap(over("^/towns$"));
    let service = TestService::of(outside).await;
    assert_eq!(decided(&service.send(get("//towns/")).await), None);
}
