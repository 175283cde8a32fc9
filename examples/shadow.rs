//! A stricter limit on trial beside the one in force: it counts and reports, and never denies.

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, Responder, get, web};

/// The shadow limit has a counter of its own and does not show in the headers.
#[get("/feed")]
#[rate_limit("5/minute")]
#[rate_limit("2/minute", shadow, name = "stricter")]
async fn feed() -> &'static str {
    "news\n"
}

/// The number of requests that the shadow limit would have denied so far. The log has a line about
/// it too.
#[get("/shadows")]
async fn shadows(limiter: web::Data<RateLimiter>) -> impl Responder {
    format!("{:?}\n", limiter.shadow_denials())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    let limiter = RateLimiter::builder().memory().build().await?;
    println!("try:");
    println!("  for i in 1 2 3 4 5 6; do curl -i http://127.0.0.1:8080/feed; done");
    println!("  curl http://127.0.0.1:8080/shadows");
    HttpServer::new(move || {
        App::new()
            .app_data(limiter.clone()) // for limited handlers
            .app_data(web::Data::new(limiter.clone())) // for the handler that asks for it
            .service((feed, shadows))
    })
    .bind(("127.0.0.1", 8080))?
    .run()
    .await?;
    Ok(())
}
