//! Requests that wait for their turn instead of being denied.

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, get};

/// One request each 200 ms. A request waits up to a second, so at most five are in the wait queue.
/// One that cannot have its turn in time is denied at once.
#[get("/wait")]
#[rate_limit("5/second", algorithm = "leaky_bucket", max_wait = "1s")]
async fn wait() -> &'static str {
    "ok\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    RateLimiter::builder().memory().init().await?;
    println!("try, eight at the same time:");
    println!(
        "  for i in 1 2 3 4 5 6 7 8; do
    curl -so /dev/null -w '%{{http_code}} after %{{time_total}} s\\n' http://127.0.0.1:8080/wait &
  done; wait"
    );
    HttpServer::new(|| App::new().service(wait))
        // The server notices at once when a client leaves, and its request leaves the wait queue.
        .h1_allow_half_closed(false)
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
