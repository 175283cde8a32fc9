//! Responses that do not count: a refund by status, and one by hand.

use std::time::Duration;

use actix_throttle::{Limit, RateLimiter, rate_limit};
use actix_web::{App, HttpResponse, HttpServer, Responder, get, post, web};

/// Three wrong passwords a minute, and as many right ones as you like.
#[post("/login")]
#[rate_limit("3/minute", refund_on = "2xx")]
async fn login(password: String) -> impl Responder {
    match password.as_str() {
        "swordfish" => HttpResponse::Ok().body("welcome\n"),
        _ => HttpResponse::Unauthorized().body("wrong password\n"),
    }
}

/// A failure on the service's side is not counted.
#[get("/report/{status}")]
#[rate_limit("3/minute", refund_on = "5xx")]
async fn report(status: web::Path<u16>) -> Option<impl Responder> {
    let status = actix_web::http::StatusCode::from_u16(*status).ok()?;
    Some(HttpResponse::build(status).body(format!("{status}\n")))
}

const JOBS: Limit = Limit::per_minute(1).name("jobs").expect_valid();

/// A refund by hand: the permit knows exactly what it was charged.
async fn by_hand() -> Result<(), Box<dyn std::error::Error>> {
    let limiter = RateLimiter::builder().memory().build().await?;
    let permit = limiter.acquire(&JOBS, "nightly").max_wait(Duration::ZERO);
    let permit = permit.await?;
    println!(
        "charged: {} left",
        limiter.remaining(&JOBS, "nightly").await?
    );
    permit.refund().await;
    println!(
        "refunded: {} left",
        limiter.remaining(&JOBS, "nightly").await?
    );
    Ok(())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    by_hand().await?;
    RateLimiter::builder().memory().init().await?;
    println!("try, several times:");
    println!("  curl -i -d swordfish http://127.0.0.1:8080/login");
    println!("  curl -i -d guess http://127.0.0.1:8080/login");
    println!("  curl -i http://127.0.0.1:8080/report/500");
    HttpServer::new(|| App::new().service((login, report)))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await?;
    Ok(())
}
