//! The 429 problem document, and the exactness of its wait.

use std::time::Duration;

use actix_throttle::rate_limit;
use actix_web::{HttpResponse, get, web::ServiceConfig};
use serde_json::json;

use harness::http::app::{TestApp, TestResponse, TestService};

macro_rules! handlers {
    ($($name:ident $path:literal $(($($argument:tt)*))+;)*) => {
        $(
            #[get($path)]
            $(#[rate_limit($($argument)*)])+
            async fn $name() -> &'static str {
                "ok"
            }
        )*

        const PATHS: &[&str] = &[$($path),*];

        fn routes(config: &mut ServiceConfig) {
            $(config.service($name);)*
            config.service(costly);
        }
    };
}

handlers! {
    sliding "/sliding" (times = 3, milliseconds = 1_001);
    counter "/counter" (times = 7, milliseconds = 3_333, algorithm = "sliding_window_counter");
    fixed "/fixed" ("2 per 3 seconds", algorithm = "fixed_window");
    // A token every 3/7 of a second, which is no whole number of microseconds.
    token "/token" ("7 per 3 seconds", algorithm = "token_bucket", capacity = 4);
    interval "/interval" ("3/second", algorithm = "token_bucket", capacity = 5, refill = "interval");
    leaky "/leaky" ("7/second", algorithm = "leaky_bucket");
    fast "/fast" (times = 3, milliseconds = 1);
    stacked "/stacked" ("2/second") ("3 per 7 seconds", algorithm = "fixed_window")
        ("5 per 11 seconds", algorithm = "token_bucket");
    blocking "/blocking" ("2/second", block = "1s 500ms");
}

#[get("/costly")]
#[rate_limit("10/minute", cost = 6)]
async fn costly() -> &'static str {
    "ok"
}

/// An application whose denials carry the wait of the decision in microseconds.
async fn telling() -> TestApp {
    TestApp::with(|builder| {
        builder.on_limited(|_, denied| {
            let wait = denied.retry_after().expect("a wait").as_micros();
            HttpResponse::TooManyRequests()
                .insert_header(("X-Wait", wait.to_string()))
                .finish()
        })
    })
    .await
}

/// Sends requests, `gap` microseconds apart, until one is denied.
async fn exhaust(test_app: &TestApp, service: &TestService, path: &str, gap: u64) -> TestResponse {
    for _ in 0..100 {
        let answer = service.get(path).await;
        if answer.status == 429 {
            return answer;
        }
        assert_eq!(answer.status, 200, "{path}");
        test_app.after_micros(gap);
    }
    panic!("{path} never denies at gaps of {gap} µs");
}

#[actix_web::test]
async fn waiting_as_decided_admits_and_one_microsecond_less_does_not() {
    for path in PATHS {
        for gap in [0, 1, 7, 101] {
            let test_app = telling().await;
            let service = test_app.service(routes).await;
            for round in 0..20 {
                let denied = exhaust(&test_app, &service, path, gap).await;
                let wait = denied.number("X-Wait").expect("own header");
                assert!(wait >= 1, "{path}");
                assert_eq!(denied.retry_after(), Some(wait.div_ceil(1_000_000)));
                test_app.after_micros(wait - 1);
                let early = service.get(path).await;
                assert_eq!(early.status, 429, "{path} gap {gap} round {round}");
                assert_eq!(early.number("X-Wait"), Some(1), "{path} {round}");
                test_app.after_micros(1);
                let admitted = service.get(path).await.status;
                assert_eq!(admitted, 200, "{path} gap {gap} round {round}");
            }
        }
    }
}

#[actix_web::test]
async fn waiting_the_milliseconds_of_the_body_admits() {
    for path in PATHS {
        let test_app = TestApp::new().await;
        let service = test_app.service(routes).await;
        for round in 0..20 {
            let denied = exhaust(&test_app, &service, path, 0).await;
            let millis = denied.json()["retry_after_ms"].as_u64().expect("a number");
            assert_eq!(denied.retry_after(), Some(millis.div_ceil(1_000)));
            test_app.clock.advance(Duration::from_millis(millis));
            let admitted = service.get(path).await.status;
            assert_eq!(admitted, 200, "{path} round {round}");
        }
    }
}

#[actix_web::test]
async fn waiting_the_seconds_of_the_header_admits() {
    for path in PATHS {
        let test_app = TestApp::new().await;
        let service = test_app.service(routes).await;
        for gap in [0, 13, 333_333] {
            if let ("/leaky" | "/fast", 333_333) = (*path, gap) {
                continue;
            }
            let denied = exhaust(&test_app, &service, path, gap).await;
            let seconds = denied.retry_after().expect("a wait");
            assert!(seconds >= 1, "{path}");
            test_app.after_seconds(seconds);
            assert_eq!(service.get(path).await.status, 200, "{path} gap {gap}");
        }
    }
}

#[actix_web::test]
async fn problem_document_has_all_its_fields() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.statuses("/fixed", 2).await, [200, 200]);
    let denied = service.get("/fixed").await;
    assert_eq!(denied.status, 429);
    assert_eq!(
        denied.header("Content-Type"),
        Some("application/problem+json")
    );
    assert_eq!(
        denied.json(),
        json!({
            "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
            "title": "Too Many Requests",
            "status": 429,
            "detail": "The limit \"fixed\" of 2 per 3s is exhausted.",
            "retry_after_ms": 3_000,
            "violated-policies": ["fixed"],
        })
    );
}

#[actix_web::test]
async fn cost_beside_what_remains_finds_no_room() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/costly").await.status, 200);
    let denied = service.get("/costly").await;
    assert_eq!((denied.status, denied.remaining()), (429, Some(4)));
    let detail = "The limit \"costly\" of 10 per 60s has no room for this request.";
    assert_eq!(denied.json()["detail"], detail);
}

#[actix_web::test]
async fn milliseconds_are_rounded_up() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/fixed", 2).await, [200, 200]);
    for (after, millis) in [(1, 3_000), (999, 2_999), (1, 2_999), (2_998_998, 1)] {
        test_app.after_micros(after);
        let denied = service.get("/fixed").await;
        assert_eq!(denied.json()["retry_after_ms"], json!(millis));
    }
}

#[actix_web::test]
async fn denied_requests_prolong_nothing() {
    for path in PATHS.iter().filter(|path| **path != "/blocking") {
        let test_app = telling().await;
        let service = test_app.service(routes).await;
        let mut left = exhaust(&test_app, &service, path, 0)
            .await
            .number("X-Wait")
            .expect("own");
        while left > 1 {
            let step = left.div_ceil(3);
            test_app.after_micros(step);
            left -= step;
            let denied = service.get(path).await;
            let expected = (left > 0).then_some(left);
            assert_eq!(denied.number("X-Wait"), expected, "{path}");
        }
    }
}
