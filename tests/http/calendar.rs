//! Quotas by the calendar over HTTP: in the attribute, in the middleware and in the file, in the
//! headers of each style and in the problem document.

use std::time::Duration;

use actix_throttle::{
    Config, HeaderStyle, Limit, Paths, Period, Rule, Throttle, config::Format, rate_limit,
};
use actix_web::{Responder, get, web::ServiceConfig};

use super::ietf::{parse, state};
use harness::http::app::TestApp;

#[get("/month")]
#[rate_limit(times = 2, every = "month")]
async fn month() -> impl Responder {
    "ok"
}

#[get("/stacked")]
#[rate_limit(times = 2, every = "hour", name = "hourly")]
#[rate_limit(times = 3, every = "day", name = "daily")]
#[rate_limit(times = 4, every = "week", name = "weekly")]
#[rate_limit(times = 5, every = "month", name = "monthly")]
#[rate_limit(
    times = 6,
    every = "day",
    time_zone = "Asia/Tokyo",
    name = "tokyo",
    zone = "tokyo"
)]
async fn stacked() -> impl Responder {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((month, stacked));
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

#[actix_web::test]
async fn headers_and_problem_say_when_the_month_ends() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    // 29 February 2024, 23:59:59.5.
    test_app
        .clock
        .advance(Duration::from_millis(60 * DAY * 1_000 - 500));
    let first = service.get("/month").await;
    assert_eq!((first.status, first.quota()), (200, Some([2, 1, 1])));
    assert_eq!(service.get("/month").await.status, 200);
    let denied = service.get("/month").await;
    assert_eq!((denied.status, denied.quota()), (429, Some([2, 0, 1])));
    assert_eq!(denied.retry_after(), Some(1));
    let problem = denied.json();
    assert_eq!(problem["retry_after_ms"], 500);
    assert_eq!(
        problem["detail"],
        "The limit \"month\" of 2 per month is exhausted."
    );
    test_app.after_millis(500);
    let next = service.get("/month").await;
    assert_eq!((next.status, next.quota()), (200, Some([2, 1, 31 * DAY])));
}

#[actix_web::test]
async fn github_reset_is_the_moment_of_the_periods_end() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::GitHub)).await;
    let service = test_app.service(routes).await;
    test_app.after_seconds(5 * DAY);
    let answer = service.get("/month").await;
    // 2024-02-01T00:00:00Z.
    assert_eq!(answer.number("X-RateLimit-Reset"), Some(1_706_745_600));
}

/// `w` stands only where every period has one length; it is optional in the draft.
#[actix_web::test]
async fn ietf_policies_have_windows_of_one_length_alone() {
    let test_app = super::ietf::test_app().await;
    let service = test_app.service(routes).await;
    test_app.after_seconds(12 * HOUR + 600);
    let answer = service.get("/stacked").await;
    let windows: Vec<_> = parse(&answer, "RateLimit-Policy")
        .into_iter()
        .map(|(name, parameters)| (name, parameters.into_iter().find(|(key, _)| key == "w")))
        .map(|(name, window)| (name, window.map(|(_, seconds)| seconds)))
        .collect();
    let expected = [
        ("hourly", Some(3_600)),
        ("daily", Some(86_400)),
        ("weekly", Some(604_800)),
        ("monthly", None),
        ("tokyo", None),
    ];
    let expected = expected.map(|(name, window)| (name.to_owned(), window));
    assert_eq!(windows, expected);
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap();
    let left = 12 * HOUR - 600;
    let states = [
        state("hourly", 1, seconds(3_000)),
        state("daily", 2, seconds(left)),
        state("weekly", 3, seconds(6 * DAY + left)),
        state("monthly", 4, seconds(30 * DAY + left)),
        state("tokyo", 5, seconds(left - 9 * HOUR)),
    ];
    assert_eq!(parse(&answer, "RateLimit"), states);
}

#[actix_web::test]
async fn middleware_and_file_count_by_the_same_words() {
    let limit = Limit::every(Period::Day, 1).time_zone("Europe/Berlin");
    let by_hand = Throttle::new().paths(Paths::all().name("plan"), [Rule::new(limit)]);
    let text = "[[rules]]\nname = 'plan'\n[[rules.limits]]\ntimes = 1\nevery = 'day'\n\
                time_zone = 'Europe/Berlin'\nname = 'plan'";
    let config = Config::parse(text, Format::Toml).expect("a valid file");
    let by_file = Throttle::from_config(&config);
    for throttle in [by_hand.expect("valid rules"), by_file] {
        let test_app = TestApp::new().await;
        let service = test_app.behind(throttle, |_| {}).await;
        // Midnight in Berlin is an hour before that of UTC.
        test_app.after_seconds(DAY - HOUR - 1);
        assert_eq!(service.statuses("/", 2).await, [404, 429]);
        assert_eq!(service.get("/").await.retry_after(), Some(1));
        test_app.after_seconds(1);
        assert_eq!(service.statuses("/", 2).await, [404, 429]);
        assert_eq!(service.get("/").await.retry_after(), Some(DAY));
    }
}
