//! One feature for each route. Environment:
//!
//! | variable | value | default |
//! |---|---|---|
//! | `PORT` | port on 127.0.0.1 | 8080 |
//! | `WORKERS` | number of threads | one for each core |
//! | `REDIS_URL` | URL of a Redis server | none of these three: the in-memory store |
//! | `REDIS_CLUSTER_URLS` | nodes of a cluster, separated by commas | |
//! | `REDIS_SENTINEL_URLS` | sentinels, separated by commas | |
//! | `REDIS_SENTINEL_SERVICE` | the sentinels' name for the server | `mymaster` |
//! | `PREFIX` | prefix of all keys | `throttle` |
//! | `HEADERS` | `x`, `ietf` or `both` | `x` |
//! | `FAILURE_THRESHOLD` | failures in a row that open the circuit | the builder's |
//! | `RECOVERY_MS` | longest pause of an open circuit, in milliseconds | the builder's |
//! | `DEADLINE_MS` | deadline of a decision by Redis, in milliseconds | the builder's |
//! | `ENFORCEMENT` | `on`, `shadow` or `off`, for all limits | `on` |
//! | `ALLOW` | networks that are neither counted nor limited, separated by commas | none |
//! | `DENY` | networks that get 403, separated by commas | none |
//! | `TRUSTED_PROXIES` | networks of proxies, or `unix`, separated by commas | none |
//! | `CLIENT_IP_HEADER` | header in which they report a client | the forwarding headers |
//! | `UNIX_SOCKET` | path of a Unix socket to listen on, in place of the port | none |

#[path = "showcase/big.rs"]
mod big;
#[path = "showcase/decisions.rs"]
mod decisions;
mod environment;
#[path = "showcase/estimates.rs"]
mod estimates;
#[path = "showcase/identifiers.rs"]
mod identifiers;
#[path = "showcase/prometheus.rs"]
mod prometheus;
#[path = "showcase/quotas.rs"]
mod quotas;
#[path = "showcase/socket.rs"]
mod socket;
#[path = "showcase/status.rs"]
mod status;

use std::{env, io, time::Duration};

use actix_throttle::{Metrics, RateLimiter, concurrency_limit, rate_limit};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, get, http::StatusCode, post, rt, web};

use self::environment::number;

#[get("/health")]
async fn health() -> &'static str {
    "ok"
}

#[get("/hello")]
#[rate_limit(times = 2, seconds = 5)]
async fn hello() -> &'static str {
    "ok"
}

#[get("/fixed")]
#[rate_limit(times = 10, seconds = 2, algorithm = "fixed_window")]
async fn fixed() -> &'static str {
    "ok"
}

#[get("/sliding")]
#[rate_limit(times = 10, seconds = 2, algorithm = "sliding_window")]
async fn sliding() -> &'static str {
    "ok"
}

#[get("/counter")]
#[rate_limit(times = 10, seconds = 2, algorithm = "sliding_window_counter")]
async fn counter() -> &'static str {
    "ok"
}

#[get("/token")]
#[rate_limit(times = 10, seconds = 2, algorithm = "token_bucket")]
async fn token() -> &'static str {
    "ok"
}

/// A token bucket whose burst is larger than what it gains in a window.
#[get("/burst")]
#[rate_limit(times = 5, seconds = 5, algorithm = "token_bucket", capacity = 20)]
async fn burst() -> &'static str {
    "ok"
}

#[get("/leaky")]
#[rate_limit(times = 5, seconds = 1, algorithm = "leaky_bucket")]
async fn leaky() -> &'static str {
    "ok"
}

/// A leaky bucket whose requests wait for their turn: five of them at most.
#[get("/wait")]
#[rate_limit(times = 5, seconds = 1, algorithm = "leaky_bucket", max_wait = "1s")]
async fn wait() -> &'static str {
    "ok"
}

/// Two limits, one decision: a request that the second limit denies is not charged to the first.
#[get("/stacked")]
#[rate_limit(times = 3, seconds = 1)]
#[rate_limit(times = 5, seconds = 10)]
async fn stacked() -> &'static str {
    "ok"
}

/// The limit is checked first: invalid JSON counts too, and a denied request's body is not read.
#[post("/json")]
#[rate_limit(times = 3, seconds = 5)]
async fn json(numbers: web::Json<Vec<u32>>) -> String {
    let sum: u64 = numbers.iter().map(|number| u64::from(*number)).sum();
    sum.to_string()
}

#[derive(serde::Deserialize)]
struct Amount {
    n: u32,
}

fn amount(request: &HttpRequest) -> u32 {
    web::Query::<Amount>::from_query(request.query_string()).map_or(1, |query| query.n)
}

#[get("/cost")]
#[rate_limit(times = 10, seconds = 5, cost = amount)]
async fn cost() -> &'static str {
    "ok"
}

#[derive(serde::Deserialize)]
struct Wanted {
    status: u16,
}

/// A response with status `5xx` is refunded.
#[get("/flaky")]
#[rate_limit(times = 3, seconds = 5, refund_on = "5xx")]
async fn flaky(wanted: web::Query<Wanted>) -> HttpResponse {
    match StatusCode::from_u16(wanted.status) {
        // These responses have no content.
        Ok(
            status
            @ (StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED),
        ) => HttpResponse::new(status),
        // Informational responses (`1xx`) do not end a request.
        Ok(status) if (200..600).contains(&status.as_u16()) => {
            HttpResponse::build(status).body("ok")
        }
        _ => HttpResponse::BadRequest().body("`status` is 200 to 599"),
    }
}

/// A client that exceeds two requests a second is blocked for four seconds.
#[get("/blocked")]
#[rate_limit(times = 2, seconds = 1, block = "4s")]
async fn blocked() -> &'static str {
    "ok"
}

#[get("/zone/a")]
#[rate_limit(times = 4, seconds = 5, zone = "shared")]
async fn zone_a() -> &'static str {
    "ok"
}

#[get("/zone/b")]
#[rate_limit(times = 4, seconds = 5, zone = "shared")]
async fn zone_b() -> &'static str {
    "ok"
}

/// Fail open: requests are admitted if Redis cannot decide.
#[get("/open")]
#[rate_limit(times = 5, seconds = 5, failure_mode = "open")]
async fn open() -> &'static str {
    "ok"
}

/// Fail closed: requests get 503 if Redis cannot decide.
#[get("/closed")]
#[rate_limit(times = 5, seconds = 5, failure_mode = "closed")]
async fn closed() -> &'static str {
    "ok"
}

/// Local fallback: this process counts the same limit if Redis cannot decide.
#[get("/local")]
#[rate_limit(times = 5, seconds = 5, failure_mode = "local")]
async fn local() -> &'static str {
    "ok"
}

/// A hot client's requests are served from a lease that this process has taken from Redis.
#[get("/leased")]
#[rate_limit(times = 1000, seconds = 60, algorithm = "fixed_window", lease = 50)]
async fn leased() -> &'static str {
    "ok"
}

#[get("/shadow")]
#[rate_limit(times = 2, seconds = 5, shadow)]
async fn shadow() -> &'static str {
    "ok"
}

#[derive(serde::Deserialize)]
struct Length {
    ms: u64,
}

/// A concurrency limit across all processes. A request runs until its response has been sent.
#[get("/slow")]
#[concurrency_limit(max = 2, expiry = "5s")]
async fn slow(length: web::Query<Length>) -> &'static str {
    rt::time::sleep(Duration::from_millis(length.ms)).await;
    "ok"
}

/// Echoes messages, and answers `limited` to messages over the limit.
fn routes(config: &mut web::ServiceConfig) {
    config
        .service((
            health, hello, fixed, sliding, counter, token, burst, leaky, wait, stacked,
        ))
        .configure(big::routes)
        .configure(decisions::routes)
        .configure(estimates::routes)
        .configure(identifiers::routes)
        .configure(prometheus::routes)
        .configure(quotas::routes)
        .configure(status::routes)
        .service((json, cost, flaky, blocked, zone_a, zone_b))
        .service((open, closed, local, leased, shadow, slow, socket::ws));
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("warn"));
    // The recorder comes before the limiter, which registers its series with it.
    let prometheus = web::Data::new(prometheus::install()?);
    let metrics = Metrics::new().policies(["hello", "login"]);
    let limiter = environment::limiter()?.observer(metrics);
    limiter.init().await?;

    let app = move || App::new().app_data(prometheus.clone()).configure(routes);
    let mut server = HttpServer::new(app)
        // The server notices at once that a client has disconnected, while it waits or is served.
        .h1_allow_half_closed(false);
    if let Some(workers) = number("WORKERS")? {
        server = server.workers(workers);
    }
    let server = match env::var("UNIX_SOCKET") {
        #[cfg(unix)]
        Ok(path) => {
            let server = server.bind_uds(&path)?;
            println!("listening on {path}");
            server
        }
        #[cfg(not(unix))]
        Ok(_) => {
            return Err(io::Error::other(
                "UNIX_SOCKET: there are none on this system",
            ));
        }
        Err(_) => {
            let port: u16 = number("PORT")?.unwrap_or(8080);
            let server = server.bind(("127.0.0.1", port))?;
            println!("listening on http://127.0.0.1:{port}");
            server
        }
    };
    server.run().await?;

    RateLimiter::close().await;
    Ok(())
}
