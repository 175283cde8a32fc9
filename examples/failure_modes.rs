//! Redis, and what becomes of requests while it is away.
//!
//! Stop Redis and start it again while this runs. It also starts without one.

use std::{env, time::Duration};

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, Responder, get, web};

/// Fail open, the default: without Redis, the request goes on without its limit.
#[get("/open")]
#[rate_limit("3/5s")]
async fn open() -> &'static str {
    "ok\n"
}

/// Fail closed: without Redis, the response is 503.
#[get("/closed")]
#[rate_limit("3/5s", failure_mode = "closed")]
async fn closed() -> &'static str {
    "ok\n"
}

/// Local fallback: without Redis, this process decides by itself. Use it for limits that protect
/// against abuse.
#[get("/local")]
#[rate_limit("3/5s", failure_mode = "local")]
async fn local() -> &'static str {
    "ok\n"
}

#[get("/circuit")]
async fn circuit(limiter: web::Data<RateLimiter>) -> impl Responder {
    format!("{:?}\n", limiter.circuit())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("warn"));
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let limiter = RateLimiter::builder()
        .redis_url(url)
        .deadline(Duration::from_millis(100)) // how long a request is held at most
        .recovery_timeout(Duration::from_secs(2)) // the longest pause between two attempts
        .build()
        .await?;
    println!("try, with and without Redis:");
    println!(
        "  for route in open closed local; do
    printf '%-7s' $route
    for i in 1 2 3 4; do curl -so /dev/null -w ' %{{http_code}}' http://127.0.0.1:8080/$route; done
    echo
  done; curl http://127.0.0.1:8080/circuit"
    );
    HttpServer::new(move || {
        App::new()
            .app_data(limiter.clone())
            .app_data(web::Data::new(limiter.clone()))
            .service((open, closed, local, circuit))
    })
    .bind(("127.0.0.1", 8080))?
    .run()
    .await?;
    Ok(())
}
