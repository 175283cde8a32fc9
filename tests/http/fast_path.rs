//! A handler with a single plain limit takes a fast path. A condition that never holds keeps a
//! limit off that path; both paths must give the same responses.

use actix_throttle::{Decision, RateLimiter, rate_limit};
use actix_web::{HttpRequest, HttpResponse, get, web::ServiceConfig};

use harness::{
    ServerVersion,
    http::app::{TestApp, TestResponse, TestService, get_from},
    stores::{StoreFixture, StoreKind, block_on},
};

fn never(_: &HttpRequest) -> bool {
    false
}

fn own_response(_: &HttpRequest, denied: &Decision) -> HttpResponse {
    let wait = denied.retry_after().expect("a wait").as_micros();
    HttpResponse::ImATeapot().body(wait.to_string())
}

/// Declares each limit twice: on a handler under `/fast`, and on one under `/general`.
macro_rules! twice {
    ($($path:literal $fast:ident $general:ident ($($argument:tt)*);)*) => {
        $(
            #[get($path)]
            #[rate_limit($($argument)*, name = "same")]
            async fn $fast() -> &'static str {
                "ok"
            }

            #[get($path)]
            #[rate_limit($($argument)*, name = "same", skip_if = never)]
            async fn $general() -> &'static str {
                "ok"
            }
        )*

        const PATHS: &[&str] = &[$($path),*];

        fn routes(config: &mut ServiceConfig) {
            let (fast, general) = (actix_web::web::scope("/fast"), actix_web::web::scope("/general"));
            config.service(fast$(.service($fast))*);
            config.service(general$(.service($general))*);
        }
    };
}

twice! {
    "/log" fast_log general_log ("3 per 2 seconds");
    "/counter" fast_counter general_counter ("3 per 2 seconds", algorithm = "sliding_window_counter");
    "/fixed" fast_fixed general_fixed ("3 per 2 seconds", algorithm = "fixed_window");
    "/token" fast_token general_token ("2/second", algorithm = "token_bucket", capacity = 3, cost = 2);
    "/leaky" fast_leaky general_leaky ("2/second", algorithm = "leaky_bucket");
    "/block" fast_block general_block ("2/second", block = "2s");
    "/shadow" fast_shadow general_shadow ("1/second", shadow);
    "/own" fast_own general_own ("1/second", on_limited = own_response);
    "/header" fast_header general_header ("1/second", identifier = header("X-Name"));
    "/query" fast_query general_query ("1/second", identifier = query("name"));
    "/all" fast_all general_all ("3/second", identifier = global);
    "/leased" fast_leased general_leased ("2/second", algorithm = "fixed_window", lease = 2);
    "/local" fast_local general_local ("2/second", failure_mode = "local");
    "/closed" fast_closed general_closed ("2/second", failure_mode = "closed");
}

/// The parts of a response that a client sees.
fn seen(response: &TestResponse) -> (u16, Vec<(&str, &[u8])>, &str) {
    let headers = response.headers.iter();
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    headers.sort_unstable();
    (response.status, headers, response.text())
}

async fn ask(service: &TestService, prefix: &str, path: &str, step: u64) -> TestResponse {
    let client = format!("192.0.2.{}", step % 3);
    let request = get_from(&client, &format!("/{prefix}{path}?name={}", step % 2));
    // Every fifth request has no name, and counts by its address.
    let request = match step % 5 {
        0 => request,
        _ => request.insert_header(("X-Name", format!("n{}", step % 2))),
    };
    service.send(request).await
}

/// Sends pairs of requests and asserts that their responses are equal. Returns the statuses.
async fn compare(test_app: &TestApp, path: &str) -> Vec<u16> {
    let service = test_app.service(routes).await;
    let mut statuses = Vec::new();
    for step in 0..40 {
        let fast = ask(&service, "fast", path, step).await;
        let general = ask(&service, "general", path, step).await;
        assert_eq!(seen(&fast), seen(&general), "{path}, step {step}");
        statuses.push(fast.status);
        test_app.after_millis(step % 4 * 60);
    }
    statuses
}

fn same_on(target: StoreKind) {
    block_on(async {
        let StoreFixture { limiter, clock, .. } = StoreFixture::new(target).await;
        let test_app = TestApp { limiter, clock };
        for path in PATHS {
            let statuses = compare(&test_app, path).await;
            let denies = *path != "/shadow";
            assert!(statuses.contains(&200), "{path}: {statuses:?}");
            assert_eq!(
                statuses.iter().any(|status| *status != 200),
                denies,
                "{path}: {statuses:?}"
            );
        }
    });
}

#[test]
fn in_memory() {
    same_on(StoreKind::Memory);
}

#[test]
fn on_redis() {
    same_on(StoreKind::Server(ServerVersion::Redis7));
}

#[test]
fn on_valkey() {
    same_on(StoreKind::Server(ServerVersion::Valkey9));
}

#[test]
fn in_a_cluster() {
    same_on(StoreKind::Cluster);
}

#[test]
fn while_no_store_decides() {
    block_on(async {
        let clock = actix_throttle::ManualClock::new();
        // Port 1 has no server.
        let builder = RateLimiter::builder()
            .redis_url("redis://127.0.0.1:1")
            // The circuit would open between the two requests of a pair.
            .failure_threshold(1_000_000);
        let limiter = builder.clock(clock.clone()).build().await.unwrap();
        let test_app = TestApp { limiter, clock };
        for (path, expected) in [
            ("/log", &[200][..]),
            ("/local", &[200, 429]),
            ("/closed", &[503]),
        ] {
            let mut statuses = compare(&test_app, path).await;
            statuses.sort_unstable();
            statuses.dedup();
            assert_eq!(statuses, expected, "{path}");
        }
    });
}
