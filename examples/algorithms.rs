//! One attribute on a handler, by each of the five algorithms. `examples/README.md` has the output.

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, get};

/// No interval of 4 seconds holds more than 4 requests. This is the default algorithm.
#[get("/sliding")]
#[rate_limit("4/4s")]
async fn sliding() -> &'static str {
    "ok\n"
}

/// A limit in constant memory: the previous window counts by its overlap.
#[get("/counter")]
#[rate_limit(times = 4, seconds = 4, algorithm = "sliding_window_counter")]
async fn counter() -> &'static str {
    "ok\n"
}

/// At most 4 requests are admitted from the first one until 4 seconds later. Then all of them are
/// back at once.
#[get("/fixed")]
#[rate_limit(times = 4, seconds = 4, algorithm = "fixed_window")]
async fn fixed() -> &'static str {
    "ok\n"
}

/// One token comes each second, and up to 6 of them are saved for a burst.
#[get("/token")]
#[rate_limit(times = 4, seconds = 4, algorithm = "token_bucket", capacity = 6)]
async fn token() -> &'static str {
    "ok\n"
}

/// One request is admitted each second, evenly spaced.
#[get("/leaky")]
#[rate_limit(times = 4, seconds = 4, algorithm = "leaky_bucket")]
async fn leaky() -> &'static str {
    "ok\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    RateLimiter::builder().memory().init().await?;
    println!("try:");
    println!(
        "  for route in sliding counter fixed token leaky; do
    printf '%-8s' $route
    for i in 1 2 3 4 5 6 7; do
      curl -so /dev/null -w ' %{{http_code}}' http://127.0.0.1:8080/$route
    done
    echo
  done"
    );
    HttpServer::new(|| App::new().service((sliding, counter, fixed, token, leaky)))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
