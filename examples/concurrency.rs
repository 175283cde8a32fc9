//! A limit on how many requests run at the same time, across all processes that share a store.

use std::time::Duration;

use actix_throttle::{RateLimiter, concurrency_limit, rate_limit};
use actix_web::{App, HttpServer, get, rt::time::sleep};

/// At most two requests run at the same time, for all clients together. A request holds its permit
/// until the body of its response has been sent. If the process dies, the permit is free after
/// `expiry`.
#[get("/export")]
#[concurrency_limit(max = 2, expiry = "30s", identifier = global)]
#[rate_limit("10/minute")]
async fn export() -> &'static str {
    sleep(Duration::from_secs(2)).await;
    "exported\n"
}

/// There are two permits here, too; a third request waits up to 5 seconds for one.
#[get("/queued")]
#[concurrency_limit(max = 2, expiry = "30s", identifier = global, max_wait = "5s")]
async fn queued() -> &'static str {
    sleep(Duration::from_secs(2)).await;
    "exported\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    RateLimiter::builder().memory().init().await?;
    println!("try, three at the same time:");
    println!(
        "  for i in 1 2 3; do
    curl -so /dev/null -w '%{{http_code}} after %{{time_total}} s\\n' http://127.0.0.1:8080/export &
  done; wait"
    );
    println!("and the same for http://127.0.0.1:8080/queued");
    HttpServer::new(|| App::new().service((export, queued)))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
