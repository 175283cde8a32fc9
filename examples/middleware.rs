//! One middleware for an application: limits by path, beside an attribute.

use actix_throttle::{Limit, Paths, RateLimiter, Rule, Throttle, rate_limit};
use actix_web::{App, HttpServer, get, http::Method, web};

#[get("/health")]
async fn health() -> &'static str {
    "healthy\n"
}

/// The middleware leaves this route alone, so the attribute alone limits it.
#[get("/api/search")]
#[rate_limit("5/minute")]
async fn search() -> &'static str {
    "found\n"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let throttle = Throttle::new()
        .exempt("/health")
        .exempt("/api/search")
        // The first entry that fits a request decides. Its rules are one decision.
        .paths(
            "^/api/",
            [
                Rule::new(Limit::per_second(2)),
                Rule::new(Limit::per_minute(4)),
            ],
        )?
        .paths(
            Paths::regex("^/upload$")?.methods([Method::POST]),
            [Rule::new(Limit::per_minute(1))],
        )?
        .paths(Paths::all().name("rest"), [Rule::new(Limit::per_minute(10))])?;

    RateLimiter::builder().memory().init().await?;
    println!("try, several times:");
    println!("  curl -i http://127.0.0.1:8080/api/towns");
    println!("  curl -i -X POST http://127.0.0.1:8080/upload");
    println!("  curl -i http://127.0.0.1:8080/anything");
    println!("  curl -i http://127.0.0.1:8080/health");
    HttpServer::new(move || {
        App::new()
            .wrap(throttle.clone())
            .service((health, search))
            .default_service(web::to(|| async { "ok\n" }))
    })
    .bind(("127.0.0.1", 8080))?
    .run()
    .await?;
    Ok(())
}
