//! `RateLimit` and `RateLimit-Policy`, parsed by an independent library of
//! [structured fields](https://www.rfc-editor.org/rfc/rfc9651).

use actix_throttle::{HeaderStyle, rate_limit};
use actix_web::{get, web::ServiceConfig};
use sfv::{BareItem, List, ListEntry, Parser};

use harness::http::app::{TestApp, TestResponse};

#[get("/two")]
#[rate_limit("100/minute", name = "burst")]
#[rate_limit("1000/day", name = "daily")]
async fn two() -> &'static str {
    "ok"
}

#[get("/odd")]
#[rate_limit("3/minute", name = r#"a "quoted\" name, with;q=9 and \\"#)]
#[rate_limit("4/hour", name = "~!@#$%^&*()_+[]{}|'<>?/ ")]
async fn odd() -> &'static str {
    "ok"
}

#[get("/windows")]
#[rate_limit(times = 3, milliseconds = 1_500)]
#[rate_limit(times = 4, milliseconds = 2_000)]
#[rate_limit(times = 5, milliseconds = 1)]
async fn windows() -> &'static str {
    "ok"
}

/// The window of a bucket is the time in which its whole quota refills.
#[get("/buckets")]
#[rate_limit("5/10 seconds", algorithm = "token_bucket", capacity = 20)]
#[rate_limit(
    "5/11 seconds",
    algorithm = "token_bucket",
    capacity = 12,
    refill = "interval"
)]
#[rate_limit(
    "3/13 seconds",
    algorithm = "token_bucket",
    capacity = 4,
    name = "uneven"
)]
#[rate_limit("2/12 seconds", algorithm = "leaky_bucket")]
async fn buckets() -> &'static str {
    "ok"
}

#[get("/shadow")]
#[rate_limit("3/minute", name = "seen")]
#[rate_limit("1/minute", name = "unseen", shadow)]
async fn shadow() -> &'static str {
    "ok"
}

#[get("/größe")]
#[rate_limit("1/minute")]
async fn größe() -> &'static str {
    "ok"
}

#[get("/zone")]
#[rate_limit("1/minute", zone = "a zone: höchst odd \u{7f}")]
async fn zone() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((two, odd, windows, buckets, shadow))
        .service((größe, zone));
}

/// A list of strings with integer parameters.
pub(super) type Policies = Vec<(String, Vec<(String, i64)>)>;

pub(super) fn parse(answer: &TestResponse, name: &str) -> Policies {
    let header = answer.header(name).expect("the header");
    let list: List = Parser::new(header).parse().expect("a structured field");
    let member = |entry: ListEntry| {
        let ListEntry::Item(item) = entry else {
            panic!("an inner list in {header}");
        };
        let BareItem::String(name) = item.bare_item else {
            panic!("no string in {header}");
        };
        let parameter = |(key, value): (sfv::Key, BareItem)| match value {
            BareItem::Integer(value) => (key.to_string(), value.into()),
            _ => panic!("no integer in {header}"),
        };
        let parameters = item.params.into_iter().map(parameter);
        (String::from(name), parameters.collect())
    };
    list.into_iter().map(member).collect()
}

fn policy(name: &str, quota: i64, window: Option<i64>) -> (String, Vec<(String, i64)>) {
    let mut parameters = vec![("q".to_owned(), quota)];
    parameters.extend(window.map(|window| ("w".to_owned(), window)));
    (name.to_owned(), parameters)
}

pub(super) fn state(name: &str, remaining: i64, reset: i64) -> (String, Vec<(String, i64)>) {
    let parameters = vec![("r".to_owned(), remaining), ("t".to_owned(), reset)];
    (name.to_owned(), parameters)
}

pub(super) async fn test_app() -> TestApp {
    TestApp::with(|builder| builder.headers(HeaderStyle::Ietf)).await
}

#[actix_web::test]
async fn all_policies_are_listed_in_the_order_written() {
    let test_app = test_app().await;
    let service = test_app.service(routes).await;
    let answer = service.get("/two").await;
    assert_eq!(
        parse(&answer, "RateLimit-Policy"),
        [
            policy("burst", 100, Some(60)),
            policy("daily", 1_000, Some(86_400))
        ]
    );
    assert_eq!(
        parse(&answer, "RateLimit"),
        [state("burst", 99, 60), state("daily", 999, 86_400)]
    );
    test_app.after_seconds(40);
    let answer = service.get("/two").await;
    assert_eq!(
        parse(&answer, "RateLimit"),
        [state("burst", 98, 20), state("daily", 998, 86_360)]
    );
    test_app.after_seconds(40);
    let answer = service.get("/two").await;
    assert_eq!(
        parse(&answer, "RateLimit"),
        [state("burst", 98, 20), state("daily", 997, 86_320)]
    );
}

#[actix_web::test]
async fn names_survive_quoting() {
    let answer = test_app().await.service(routes).await.get("/odd").await;
    let quoted = r#"a "quoted\" name, with;q=9 and \\"#;
    let signs = "~!@#$%^&*()_+[]{}|'<>?/ ";
    assert_eq!(
        parse(&answer, "RateLimit-Policy"),
        [policy(quoted, 3, Some(60)), policy(signs, 4, Some(3_600))]
    );
    assert_eq!(
        parse(&answer, "RateLimit"),
        [state(quoted, 2, 60), state(signs, 3, 3_600)]
    );
}

#[actix_web::test]
async fn names_of_handlers_become_ascii_and_zones_do_not_show() {
    let service = test_app().await.service(routes).await;
    let answer = service.get("/gr%C3%B6%C3%9Fe").await;
    assert_eq!(parse(&answer, "RateLimit"), [state("gr__e", 0, 60)]);
    let answer = service.get("/zone").await;
    assert_eq!(parse(&answer, "RateLimit"), [state("zone", 0, 60)]);
}

#[actix_web::test]
async fn window_that_is_no_whole_number_of_seconds_is_left_out() {
    let answer = test_app().await.service(routes).await.get("/windows").await;
    assert_eq!(
        parse(&answer, "RateLimit-Policy"),
        [
            policy("windows", 3, None),
            policy("windows-2", 4, Some(2)),
            policy("windows-3", 5, None),
        ]
    );
    assert_eq!(
        parse(&answer, "RateLimit"),
        [
            state("windows", 2, 2),
            state("windows-2", 3, 2),
            state("windows-3", 4, 1),
        ]
    );
}

#[actix_web::test]
async fn buckets_show_their_capacity_and_when_the_next_token_comes() {
    let answer = test_app().await.service(routes).await.get("/buckets").await;
    assert_eq!(
        parse(&answer, "RateLimit-Policy"),
        [
            policy("buckets", 20, Some(40)),
            policy("buckets-2", 12, Some(33)),
            policy("uneven", 4, None),
            policy("buckets-4", 2, Some(12)),
        ]
    );
    assert_eq!(
        parse(&answer, "RateLimit"),
        [
            state("buckets", 19, 2),
            state("buckets-2", 11, 11),
            state("uneven", 3, 5),
            state("buckets-4", 0, 6),
        ]
    );
}

#[actix_web::test]
async fn denial_lists_all_policies_too() {
    let service = test_app().await.service(routes).await;
    assert_eq!(service.statuses("/odd", 3).await, [200, 200, 200]);
    let denied = service.get("/odd").await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(60)));
    let names: Vec<_> = parse(&denied, "RateLimit")
        .into_iter()
        .map(|(_, parameters)| parameters[0].1)
        .collect();
    assert_eq!(names, [0, 1], "what remains of each");
    assert_eq!(parse(&denied, "RateLimit-Policy").len(), 2);
}

#[actix_web::test]
async fn shadows_are_not_listed() {
    let answer = test_app().await.service(routes).await.get("/shadow").await;
    assert_eq!(
        parse(&answer, "RateLimit-Policy"),
        [policy("seen", 3, Some(60))]
    );
    assert_eq!(parse(&answer, "RateLimit"), [state("seen", 2, 60)]);
}
