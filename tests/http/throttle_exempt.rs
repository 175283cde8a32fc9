//! Requests that the middleware exempts, and exempt patterns that match no route.

use actix_throttle::{Limit, Throttle, rate_limit};
use actix_web::{
    App, get,
    http::Method,
    web::{self, ServiceConfig},
};

use super::throttle::decided;
use harness::http::app::{TestApp, TestResponse, TestService, get, in_own_process};

#[get("/search")]
#[rate_limit("10/minute")]
async fn search() -> &'static str {
    "ok"
}

#[get("/user/{id}")]
#[rate_limit("20/minute")]
async fn profile() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service(web::scope("/api").service((search, profile)));
    config.route("/upload", web::to(|| async { "ok" }));
    config.route("/v{number:[0-9]{1,3}}/x", web::to(|| async { "ok" }));
    config.service(web::resource(["/old", "/new"]).to(|| async { "ok" }));
}

fn global() -> Throttle {
    Throttle::per_client(Limit::per_minute(100)).expect("a valid limit")
}

#[actix_web::test]
async fn exempt_route_has_its_own_limit_alone() {
    let throttle = global().exempt("/api/search").exempt("/api/user/{id}");
    let service = TestApp::new().await.behind(throttle, routes).await;
    assert_eq!(service.get("/api/search").await.quota(), Some([10, 9, 60]));
    assert_eq!(
        service.get("/%61pi/s%65arch").await.quota(),
        Some([10, 8, 60])
    );
    assert_eq!(service.get("/api/user/7").await.quota(), Some([20, 19, 60]));
    assert_eq!(service.get("/upload").await.quota(), Some([100, 99, 60]));
    assert_eq!(
        service.get("/api/searches").await.quota(),
        Some([100, 98, 60])
    );
}

#[actix_web::test]
async fn path_exempted_by_function_is_not_limited() {
    let throttle = global()
        .skip_if(|request| request.path() == "/upload")
        .skip_if(|request| request.headers().contains_key("X-Internal"));
    let service = TestApp::new().await.behind(throttle, routes).await;
    assert!(service.get("/upload").await.is_unlimited());
    let internal = get("/old").insert_header(("X-Internal", "1"));
    assert!(service.send(internal).await.is_unlimited());
    assert_eq!(decided(&service.get("/old").await), Some(100));
}

#[actix_web::test]
async fn preflight_is_left_alone_if_wanted_and_other_options_are_not() {
    let preflight = || {
        get("/upload")
            .method(Method::OPTIONS)
            .insert_header(("Origin", "https://a.example"))
            .insert_header(("Access-Control-Request-Method", "PUT"))
    };
    let test_app = TestApp::new().await;
    let service = test_app.behind(global().skip_preflight(), routes).await;
    assert!(service.send(preflight()).await.is_unlimited());
    let plain = get("/upload").method(Method::OPTIONS);
    assert_eq!(decided(&service.send(plain).await), Some(100));
    let asks_nothing = get("/upload")
        .method(Method::OPTIONS)
        .insert_header(("Origin", "https://a.example"));
    assert_eq!(decided(&service.send(asks_nothing).await), Some(100));
    let from_nowhere = get("/upload")
        .method(Method::OPTIONS)
        .insert_header(("Access-Control-Request-Method", "PUT"));
    assert_eq!(decided(&service.send(from_nowhere).await), Some(100));
    let posed = preflight().method(Method::GET);
    assert_eq!(decided(&service.send(posed).await), Some(100));
    let service = test_app.behind(global(), routes).await;
    assert_eq!(decided(&service.send(preflight()).await), Some(100));
}

/// Patterns without a route, each with a part of the warning about it.
const UNKNOWN: [(&str, &str); 7] = [
    ("/api/serach", "Write it as it was registered"),
    ("/search", "with the prefixes of its scopes"),
    ("/api/user/{name}", "did you mean `/api/user/{id}`?"),
    ("/upload/", "no route of the app has this pattern."),
    ("/new", "did you mean `/old`?"),
    (
        "/v{number:[0-9]+}/x",
        "did you mean `/v{number:[0-9]{1,3}}/x`?",
    ),
    ("/api/user/{id", "no route of the app has this pattern."),
];
const KNOWN: [&str; 5] = [
    "/api/search",
    "/api/user/{id}",
    "/upload",
    "/old",
    "/v{number:[0-9]{1,3}}/x",
];

#[actix_web::test]
async fn pattern_without_route_is_logged_once_at_first_request() {
    let this = "throttle_exempt::pattern_without_route_is_logged_once_at_first_request";
    let Some(log) = in_own_process(this) else {
        env_logger::init();
        let mut throttle = global();
        for pattern in UNKNOWN.iter().map(|(pattern, _)| pattern).chain(&KNOWN) {
            throttle = throttle.exempt(*pattern);
        }
        throttle = throttle.exempt("/nothing/like/any/of/them");
        let test_app = TestApp::new().await;
        // Two workers with a clone each, and one with a throttle of its own.
        for throttle in [
            throttle.clone(),
            throttle.clone().skip_preflight(),
            throttle,
        ] {
            let service = test_app.behind(throttle, routes).await;
            service.statuses("/upload", 3).await;
        }
        return;
    };
    let errors: Vec<_> = log
        .lines()
        .filter(|line| line.contains("exempts nothing"))
        .collect();
    assert_eq!(errors.len(), UNKNOWN.len() + 1, "{log}");
    for (pattern, hint) in UNKNOWN {
        let named = format!("the exempt pattern \"{pattern}\"");
        let line = errors
            .iter()
            .find(|line| line.contains(&named))
            .expect(&log);
        assert!(line.contains("ERROR") && line.contains(hint), "{line}");
    }
    let far = errors
        .iter()
        .find(|line| line.contains("/nothing/like"))
        .expect(&log);
    assert!(!far.contains("did you mean"), "{far}");
}

#[actix_web::test]
async fn app_without_a_limiter_answers_500_where_an_entry_fits() {
    let throttle = Throttle::new()
        .paths(
            "^/upload",
            [actix_throttle::Rule::new(Limit::per_minute(1))],
        )
        .expect("an entry");
    let service = TestService::of(App::new().configure(routes).wrap(throttle)).await;
    let answer: TestResponse = service.get("/upload").await;
    assert_eq!((answer.status, answer.text()), (500, ""));
    assert_eq!(service.get("/old").await.status, 200);
}
