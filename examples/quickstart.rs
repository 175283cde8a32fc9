//! Limits each client to two requests in five seconds. Run `curl -i http://127.0.0.1:8080/` three
//! times.

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, Responder, get};

#[get("/")]
#[rate_limit(times = 2, seconds = 5)]
async fn index() -> impl Responder {
    "hello\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let limiter = match std::env::var("REDIS_URL") {
        Ok(url) => RateLimiter::builder().redis_url(url), // shared by all processes
        Err(_) => RateLimiter::builder().memory(),        // in memory, without Redis
    };
    limiter.init().await?;

    let port = std::env::var("PORT").map_or(8080, |port| port.parse().unwrap_or(8080));
    println!("try, three times:  curl -i http://127.0.0.1:{port}/");
    HttpServer::new(|| App::new().service(index))
        .bind(("127.0.0.1", port))?
        .run()
        .await?;

    RateLimiter::close().await;
    Ok(())
}
