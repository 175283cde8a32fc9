//! Rate-limit headers that come from a handler, or from an upstream service whose responses it
//! forwards.

use std::fmt;

use actix_throttle::{HeaderStyle, Limit, Rule, Throttle, rate_limit};
use actix_web::{
    App, HttpRequest, HttpResponse, ResponseError, get,
    http::{StatusCode, header::HeaderName},
    test::TestRequest,
    web::ServiceConfig,
};

use harness::http::app::{TestApp, TestResponse, TestService, get as from_client};

/// A handler that forwards an upstream service's response. Its headers come from the request.
fn upstream(request: &HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    for line in request.headers().get_all("upstream") {
        let (name, value) = line.to_str().unwrap().split_once(": ").unwrap();
        response.append_header((name, value));
    }
    response.finish()
}

#[get("/proxied")]
#[rate_limit("9/minute", name = "ours")]
async fn proxied(request: HttpRequest) -> HttpResponse {
    upstream(&request)
}

#[get("/plain")]
async fn plain(request: HttpRequest) -> HttpResponse {
    upstream(&request)
}

#[derive(Debug)]
struct Failure;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl ResponseError for Failure {
    fn error_response(&self) -> HttpResponse {
        HttpResponse::BadGateway()
            .insert_header(("X-RateLimit-Limit", "50"))
            .insert_header(("X-RateLimit-Remaining", "3"))
            .insert_header(("X-RateLimit-Reset", "7"))
            .finish()
    }

    fn status_code(&self) -> StatusCode {
        StatusCode::BAD_GATEWAY
    }
}

#[get("/failing")]
async fn failing() -> Result<HttpResponse, Failure> {
    Err(Failure)
}

fn routes(config: &mut ServiceConfig) {
    config.service((proxied, plain, failing));
}

fn asking(path: &str, upstream: &[&str]) -> TestRequest {
    let mut request = from_client(path);
    for line in upstream {
        request = request.append_header(("upstream", *line));
    }
    request
}

/// The response to the first request of a new client.
async fn answer(style: HeaderStyle, upstream: &[&str]) -> TestResponse {
    let test_app = TestApp::with(|builder| builder.headers(style)).await;
    let service = test_app.service(routes).await;
    service.send(asking("/proxied", upstream)).await
}

const NAMES: [&str; 3] = ["Limit", "Remaining", "Reset"];

/// The three headers of a prefix, each present at most once.
fn set<'a>(answer: &'a TestResponse, prefix: &str) -> [Option<&'a str>; 3] {
    NAMES.map(|name| answer.header(&format!("{prefix}-{name}")))
}

const OURS: [Option<&str>; 3] = [Some("9"), Some("8"), Some("60")];

#[actix_web::test]
async fn stricter_set_wins_as_a_whole() {
    for (theirs, expected) in [
        // Less remains under the upstream's limit.
        (["100", "7", "3600"], ["100", "7", "3600"]),
        (["100", "0", "1700000000"], ["100", "0", "1700000000"]),
        (["100", "99", "1"], ["9", "8", "60"]),
        // Both have as much left.
        (["8", "8", "3600"], ["9", "8", "60"]),
        // These are not comparable.
        (["1", "-1", "1"], ["9", "8", "60"]),
        (["1", "few", "1"], ["9", "8", "60"]),
    ] {
        for style in [HeaderStyle::XRateLimit, HeaderStyle::Both] {
            let lines: Vec<_> = NAMES
                .iter()
                .zip(theirs)
                .map(|(name, value)| format!("X-RateLimit-{name}: {value}"))
                .collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let answer = answer(style, &lines).await;
            assert_eq!(
                set(&answer, "X-RateLimit"),
                expected.map(Some),
                "{theirs:?}"
            );
        }
    }
}

#[actix_web::test]
async fn parts_of_a_set_are_never_mixed_with_ours() {
    // The upstream's set is stricter, and has no reset.
    let stricter = ["X-RateLimit-Limit: 100", "X-RateLimit-Remaining: 1"];
    let response = answer(HeaderStyle::XRateLimit, &stricter).await;
    assert_eq!(
        set(&response, "X-RateLimit"),
        [Some("100"), Some("1"), None]
    );
    for upstream in [
        &["X-RateLimit-Limit: 1"][..],
        &["X-RateLimit-Reset: 1"],
        &["X-RateLimit-Remaining: 1", "X-RateLimit-Remaining: 2"],
        &[
            "X-RateLimit-Remaining: 1",
            "X-RateLimit-Limit: 1",
            "X-RateLimit-Limit: 2",
        ],
    ] {
        let response = answer(HeaderStyle::XRateLimit, upstream).await;
        assert_eq!(set(&response, "X-RateLimit"), OURS, "{upstream:?}");
    }
}

#[actix_web::test]
async fn policies_by_other_names_are_listed_after_ours() {
    let upstream = [
        "RateLimit-Policy: \"theirs\";q=5;w=10, \"ours\";q=1000;w=1",
        "RateLimit: \"ours\";r=999;t=1",
        "RateLimit: \"theirs\";r=2;t=9",
    ];
    let response = answer(HeaderStyle::Ietf, &upstream).await;
    assert_eq!(
        response.header("RateLimit-Policy"),
        Some("\"ours\";q=9;w=60, \"theirs\";q=5;w=10")
    );
    assert_eq!(
        response.header("RateLimit"),
        Some("\"ours\";r=8;t=60, \"theirs\";r=2;t=9")
    );
    // The syntax of an older draft, which has no policy names.
    let response = answer(
        HeaderStyle::Ietf,
        &["RateLimit: limit=5, remaining=2, reset=9"],
    )
    .await;
    assert_eq!(response.header("RateLimit"), Some("\"ours\";r=8;t=60"));
}

#[actix_web::test]
async fn existing_headers_are_merged_in_every_style() {
    let lists = [
        "RateLimit-Policy: \"theirs\";q=5",
        "RateLimit: \"theirs\";r=2",
    ];
    let response = answer(HeaderStyle::XRateLimit, &lists).await;
    assert_eq!(set(&response, "X-RateLimit"), OURS);
    assert_eq!(
        response.header("RateLimit"),
        Some("\"ours\";r=8;t=60, \"theirs\";r=2")
    );
    let lax = ["X-RateLimit-Remaining: 99", "X-RateLimit-Limit: 100"];
    let response = answer(HeaderStyle::Ietf, &lax).await;
    assert_eq!(set(&response, "X-RateLimit"), OURS);
    for (remaining, expected) in [("1", ["5", "1", "30"]), ("99", ["9", "8", "60"])] {
        let remaining = format!("RateLimit-Remaining: {remaining}");
        let old = ["RateLimit-Limit: 5", &remaining, "RateLimit-Reset: 30"];
        for style in [
            HeaderStyle::XRateLimit,
            HeaderStyle::GitHub,
            HeaderStyle::Ietf,
        ] {
            let response = answer(style, &old).await;
            assert_eq!(set(&response, "RateLimit"), expected.map(Some), "{style:?}");
        }
    }
    // The limiter writes no headers here, so the upstream's stay as they are.
    let response = answer(HeaderStyle::Off, &[lists[1], lax[0], lax[0]]).await;
    assert_eq!(response.header("RateLimit"), Some("\"theirs\";r=2"));
    let kept = HeaderName::from_static("x-ratelimit-remaining");
    assert_eq!(response.headers.get_all(kept).count(), 2);
}

/// Two layers of the limiter write to the same response, and neither takes the other's headers for
/// an upstream's.
#[actix_web::test]
async fn layers_do_not_take_each_other_for_strangers() {
    let refunding = || {
        let rule = Rule::new(Limit::per_minute(6).name("outer")).refund_on("2xx".parse().unwrap());
        Throttle::new().paths("^/", [rule]).expect("an entry")
    };
    let inner = || Throttle::per_client(Limit::per_minute(7).name("inner")).expect("a limit");
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Both)).await;
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(routes);
    let service = TestService::of(app.wrap(inner()).wrap(refunding())).await;
    // The outer limit has its charge refunded, so the inner one is the strictest.
    let response = service.send(asking("/proxied", &[])).await;
    assert_eq!(response.quota(), Some([7, 6, 60]));
    let states = response.header("RateLimit").expect("three");
    assert_eq!(states.matches("r=").count(), 3, "{states}");
    assert!(states.contains("\"outer\";r=6,"), "{states}");

    let theirs = ["X-RateLimit-Remaining: 1", "RateLimit: \"theirs\";r=2"];
    let response = service.send(asking("/plain", &theirs)).await;
    assert_eq!(set(&response, "X-RateLimit"), [None, Some("1"), None]);
    let states = response.header("RateLimit").expect("three");
    assert_eq!(states.matches("theirs").count(), 1, "{states}");
    assert_eq!(states.matches("r=").count(), 3, "{states}");

    let failed = service.get("/failing").await;
    assert_eq!(failed.status, 502);
    assert_eq!(failed.quota(), Some([50, 3, 7]));
    assert!(failed.header("RateLimit").is_some());
}

fn too_soon(_: &HttpRequest, _: &actix_throttle::Decision) -> HttpResponse {
    HttpResponse::TooManyRequests()
        .append_header(("Retry-After", "1"))
        .append_header(("Retry-After", "2"))
        .finish()
}

fn on_a_day(_: &HttpRequest, _: &actix_throttle::Decision) -> HttpResponse {
    HttpResponse::TooManyRequests()
        .append_header(("Retry-After", "Fri, 31 Dec 2100 23:59:59 GMT"))
        .finish()
}

#[get("/soon")]
#[rate_limit("1/minute", on_limited = too_soon)]
async fn soon() -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header(("Retry-After", "7"))
        .finish()
}

#[get("/day")]
#[rate_limit("1/minute", on_limited = on_a_day)]
async fn day() -> &'static str {
    "ok"
}

#[actix_web::test]
async fn retry_after_is_the_longest_wait_and_stands_there_once() {
    let test_app = TestApp::new().await;
    let service = test_app
        .service(|config| {
            config.service((soon, day));
        })
        .await;
    // The header that the handler set itself stays.
    assert_eq!(service.get("/soon").await.retry_after(), Some(7));
    assert_eq!(service.get("/soon").await.retry_after(), Some(60));
    assert_eq!(service.get("/day").await.status, 200);
    let date = service.get("/day").await;
    assert_eq!(
        date.header("Retry-After"),
        Some("Fri, 31 Dec 2100 23:59:59 GMT")
    );
}
