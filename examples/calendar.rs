//! So many requests in a month of the calendar, beside a limit against bursts.

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, get};

/// The quota of a month starts anew on the first, at midnight in Berlin. Without `time_zone`, which
/// the feature `time-zones` brings, it would be midnight UTC.
#[get("/reports")]
#[rate_limit("2/second")]
#[rate_limit(
    times = 5,
    every = "month",
    time_zone = "Europe/Berlin",
    name = "monthly"
)]
async fn reports() -> &'static str {
    "a report\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    RateLimiter::builder().memory().init().await?;
    println!("try, six times, a second apart:  curl -i http://127.0.0.1:8080/reports");
    HttpServer::new(|| App::new().service(reports))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
