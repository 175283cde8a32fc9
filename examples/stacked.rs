//! Several limits on one handler, and one counter for several handlers.

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, get, post};

/// Both limits are one decision: a request that one of them denies takes nothing from the other. A
/// client that exceeds 5 a minute is denied everything here for 5 minutes.
#[post("/login")]
#[rate_limit("2/second")]
#[rate_limit("5/minute", block = "5m")]
async fn login() -> &'static str {
    "welcome\n"
}

/// The zone names the counter, so these two handlers share 3 requests a minute.
#[get("/search")]
#[rate_limit("3/minute", zone = "search")]
async fn search() -> &'static str {
    "found\n"
}

#[get("/suggest")]
#[rate_limit("3/minute", zone = "search")]
async fn suggest() -> &'static str {
    "suggested\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    RateLimiter::builder().memory().init().await?;
    println!("try, several times:");
    println!("  curl -i -X POST http://127.0.0.1:8080/login");
    println!("  curl -i http://127.0.0.1:8080/search");
    println!("  curl -i http://127.0.0.1:8080/suggest");
    HttpServer::new(|| App::new().service((login, search, suggest)))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
