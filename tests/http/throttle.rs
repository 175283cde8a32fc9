//! The middleware: the entry that decides, and its effects.

use actix_throttle::{Algorithm, HeaderStyle, Identifier, Identity, Limit, Paths, Rule, Throttle};
use actix_web::{
    HttpRequest, HttpResponse,
    http::Method,
    test::TestRequest,
    web::{self, ServiceConfig},
};
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::http::app::{TestApp, TestResponse, get, get_from, post};

/// Reads the user and the group from headers.
pub(super) fn by_headers(request: &HttpRequest) -> Option<Identity> {
    let value = |name: &str| request.headers().get(name)?.to_str().ok();
    let user = Identity::new(value("X-User")?);
    Some(match value("X-Group") {
        Some(group) => user.group(group.to_owned()),
        None => user,
    })
}

pub(super) fn user(name: &str, group: &str, path: &str) -> TestRequest {
    get(path)
        .insert_header(("X-User", name))
        .insert_header(("X-Group", group))
}

/// Responds to every request.
pub(super) fn anything(config: &mut ServiceConfig) {
    config.default_service(web::to(|| async { "ok" }));
}

fn rule(times: u32) -> Rule {
    Rule::new(Limit::per_minute(times))
}

/// The quota of the limit that the response shows.
pub(super) fn decided(answer: &TestResponse) -> Option<u64> {
    answer.quota().map(|[quota, ..]| quota)
}

#[actix_web::test]
async fn first_entry_that_fits_path_and_method_decides() {
    let throttle = Throttle::new()
        .paths(
            Paths::regex("^/towns").unwrap().methods([Method::POST]),
            [rule(1)],
        )
        .and_then(|throttle| throttle.paths("^/towns/big", [rule(2)]))
        .and_then(|throttle| throttle.paths("^/towns", [rule(3)]))
        .unwrap();
    let service = TestApp::new().await.behind(throttle, anything).await;
    assert_eq!(decided(&service.send(post("/towns")).await), Some(1));
    assert_eq!(decided(&service.get("/towns/big").await), Some(2));
    assert_eq!(decided(&service.get("/towns/small").await), Some(3));
    assert!(service.get("/forests/towns").await.is_unlimited());
}

#[actix_web::test]
async fn entry_with_nothing_for_the_group_leaves_the_search_to_go_on() {
    let throttle = Throttle::new()
        .identifier(by_headers)
        .paths("^/towns", [rule(1).group("pro"), Rule::unlimited("admin")])
        .and_then(|throttle| throttle.paths("^/", [rule(2), rule(5).group("gold")]))
        .unwrap();
    let service = TestApp::new().await.behind(throttle, anything).await;
    let towns = |group| service.send(user("ann", group, "/towns"));
    assert_eq!(decided(&towns("pro").await), Some(1));
    assert_eq!(decided(&towns("gold").await), Some(5));
    assert_eq!(decided(&towns("other").await), Some(2));
    assert!(towns("admin").await.is_unlimited());
}

#[actix_web::test]
async fn skipped_rule_is_as_if_it_were_not_there() {
    let internal = |request: &HttpRequest| request.headers().contains_key("X-Internal");
    let throttle = Throttle::new()
        .paths("^/towns", [rule(1).skip_if(internal)])
        .and_then(|throttle| throttle.paths("^/", [rule(9)]))
        .unwrap();
    let service = TestApp::new().await.behind(throttle, anything).await;
    assert_eq!(decided(&service.get("/towns").await), Some(1));
    let inside = get("/towns").insert_header(("X-Internal", "1"));
    assert_eq!(decided(&service.send(inside).await), Some(9));
}

#[actix_web::test]
async fn limits_of_an_entry_are_one_decision() {
    let throttle = Throttle::new()
        .paths("^/", [Rule::new(Limit::per_second(2)), rule(3)])
        .unwrap();
    let test_app = TestApp::new().await;
    let service = test_app.behind(throttle, anything).await;
    assert_eq!(service.statuses("/", 4).await, [200, 200, 429, 429]);
    test_app.after_seconds(1);
    // The denial by the second limit was not charged to the first.
    assert_eq!(service.statuses("/", 2).await, [200, 429]);
}

#[actix_web::test]
async fn entries_count_apart_unless_a_zone_says_otherwise() {
    let zoned = |times| Rule::new(Limit::per_minute(times).zone("both"));
    let throttle = Throttle::new()
        .paths("^/towns", [rule(2)])
        .and_then(|throttle| throttle.paths("^/forests", [rule(2)]))
        .and_then(|throttle| throttle.paths("^/a", [zoned(3)]))
        .and_then(|throttle| throttle.paths("^/b", [zoned(3)]))
        .unwrap();
    let service = TestApp::new().await.behind(throttle, anything).await;
    for path in ["/towns", "/forests"] {
        assert_eq!(service.statuses(path, 3).await, [200, 200, 429]);
    }
    assert_eq!(service.get("/a").await.remaining(), Some(2));
    assert_eq!(service.get("/b").await.remaining(), Some(1));
    assert_eq!(service.get("/a").await.remaining(), Some(0));
    assert_eq!(service.get("/b").await.status, 429);
}

#[actix_web::test]
async fn alike_entries_count_apart_as_well() {
    // Two entries with the same regex.
    let throttle = Throttle::new()
        .identifier(by_headers)
        .paths("^/", [rule(2).group("pro")])
        .and_then(|throttle| throttle.paths("^/", [rule(2)]))
        .unwrap();
    let service = TestApp::new().await.behind(throttle, anything).await;
    for group in ["pro", "none"] {
        let ann = || service.send(user("ann", group, "/"));
        assert_eq!(
            [ann().await.status, ann().await.status, ann().await.status],
            [200, 200, 429]
        );
    }
}

#[actix_web::test]
async fn limits_are_named_after_their_entry() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Ietf)).await;
    let throttle = Throttle::new()
        .paths(
            Paths::regex("^/towns").unwrap().methods([Method::GET]),
            [
                rule(3),
                Rule::new(Limit::per_hour(9)),
                Rule::new(Limit::per_day(20).name("daily")),
            ],
        )
        .and_then(|throttle| throttle.paths(Paths::regex("^/wälder").unwrap(), [rule(3)]))
        .and_then(|throttle| throttle.paths(Paths::all().name("rest"), [rule(1)]))
        .unwrap();
    let service = test_app.behind(throttle, anything).await;
    assert_eq!(
        service.get("/towns").await.header("RateLimit-Policy"),
        Some("\"GET ^/towns\";q=3;w=60, \"GET ^/towns-2\";q=9;w=3600, \"daily\";q=20;w=86400")
    );
    let encoded = service.get("/w%C3%A4lder").await;
    assert_eq!(
        encoded.header("RateLimit-Policy"),
        Some("\"^/w\\\\u{e4}lder\";q=3;w=60")
    );
    assert_eq!(
        service.get("/").await.header("RateLimit-Policy"),
        Some("\"rest\";q=1;w=60")
    );
    let denied = service.get("/").await;
    assert_eq!(denied.json()["violated-policies"][0], "rest");
}

#[actix_web::test]
async fn limit_per_client_is_for_each_client_on_all_paths() {
    let throttle = Throttle::per_client(Limit::per_minute(2)).unwrap();
    let service = TestApp::new().await.behind(throttle, anything).await;
    assert_eq!(service.get("/a").await.quota(), Some([2, 1, 60]));
    assert_eq!(service.send(post("/b")).await.remaining(), Some(0));
    assert_eq!(service.get("/c").await.status, 429);
    assert_eq!(service.send(get_from("192.0.2.2", "/c")).await.status, 200);
}

#[actix_web::test]
async fn global_limit_is_one_for_all_clients_together() {
    let throttle = Throttle::global(Limit::per_minute(2)).unwrap();
    let service = TestApp::new().await.behind(throttle, anything).await;
    assert_eq!(service.get("/a").await.quota(), Some([2, 1, 60]));
    assert_eq!(
        service.send(get_from("192.0.2.2", "/b")).await.remaining(),
        Some(0)
    );
    assert_eq!(service.send(get_from("192.0.2.3", "/c")).await.status, 429);
}

#[actix_web::test]
async fn exempt_paths_end_the_search() {
    let throttle = Throttle::new()
        .paths("^/health/deep", [rule(1)])
        .and_then(|throttle| throttle.exempt_paths("^/health"))
        .and_then(|throttle| throttle.paths("^/", [rule(2)]))
        .unwrap();
    let service = TestApp::new().await.behind(throttle, anything).await;
    assert!(service.get("/health").await.is_unlimited());
    assert_eq!(decided(&service.get("/health/deep").await), Some(1));
    assert_eq!(decided(&service.get("/").await), Some(2));
}

static ASKED: AtomicUsize = AtomicUsize::new(0);

async fn counted(request: &HttpRequest) -> Option<Identity> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    by_headers(request)
}

#[actix_web::test]
async fn identifier_is_asked_once_for_all_entries() {
    let throttle = Throttle::new()
        .identifier(counted)
        .paths(Paths::regex("^/").unwrap().shadow(), [rule(1)])
        .and_then(|throttle| throttle.paths("^/", [rule(1).group("a"), rule(2).group("b")]))
        .and_then(|throttle| throttle.paths("^/", [rule(3).identifier(counted)]))
        .unwrap();
    let service = TestApp::new().await.behind(throttle, anything).await;
    assert_eq!(
        decided(&service.send(user("ann", "none", "/")).await),
        Some(3)
    );
    assert_eq!(ASKED.load(Ordering::Relaxed), 1);
}

#[actix_web::test]
async fn rules_are_those_of_the_attribute() {
    let plan = |request: &HttpRequest, _: &Identity| {
        let times = request
            .headers()
            .get("X-Times")?
            .to_str()
            .ok()?
            .parse()
            .ok()?;
        Some(Limit::per_minute(times))
    };
    let bucket = Limit::per_minute(2)
        .algorithm(Algorithm::TokenBucket)
        .capacity(5);
    let throttle = Throttle::new()
        .paths("^/bucket", [Rule::new(bucket)])
        .and_then(|throttle| throttle.paths("^/cost", [rule(10).cost(|_| 4)]))
        .and_then(|throttle| throttle.paths("^/plan", [rule(10).dynamic(plan)]))
        .and_then(|throttle| throttle.paths("^/all", [rule(1).identifier(Identifier::global())]))
        .and_then(|throttle| throttle.paths("^/flaky", [rule(1).refund_on("5xx".parse().unwrap())]))
        .unwrap();
    let routes = |config: &mut ServiceConfig| {
        config.route("/flaky", web::to(HttpResponse::InternalServerError));
        anything(config);
    };
    let service = TestApp::new().await.behind(throttle, routes).await;
    assert_eq!(
        service
            .get("/bucket")
            .await
            .quota()
            .map(|[quota, ..]| quota),
        Some(5)
    );
    assert_eq!(service.get("/cost").await.remaining(), Some(6));
    let planned = service
        .send(get("/plan").insert_header(("X-Times", "7")))
        .await;
    assert_eq!(decided(&planned), Some(7));
    service.get("/all").await;
    assert_eq!(
        service.send(get_from("192.0.2.9", "/all")).await.status,
        429
    );
    for _ in 0..3 {
        let failed = service.get("/flaky").await;
        assert_eq!((failed.status, failed.remaining()), (500, Some(1)));
    }
}
