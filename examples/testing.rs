//! How to test limited handlers: a clock that only the test moves, and no sleeping. Runs and exits.

use std::time::Duration;

use actix_throttle::{Limited, ManualClock, RateLimiter, rate_limit};
use actix_web::{App, Responder, get, test, web};

#[get("/")]
#[rate_limit(times = 2, seconds = 5)]
async fn index() -> impl Responder {
    "hello"
}

#[rate_limit("10/minute")]
async fn item(id: web::Path<u32>) -> impl Responder {
    format!("item {id}")
}

#[actix_web::main] // In a test, write `#[actix_web::test]`.
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The handler with its limit. The limiter is the test's own, so tests do not disturb each
    // other.
    let clock = ManualClock::new();
    let limiter = RateLimiter::builder()
        .memory()
        .clock(clock.clone())
        .build()
        .await?;
    let app = test::init_service(App::new().app_data(limiter).service(index)).await;
    let get = async |address: &str| -> Result<u16, std::net::AddrParseError> {
        let request = test::TestRequest::get().peer_addr(address.parse()?);
        Ok(test::call_service(&app, request.to_request())
            .await
            .status()
            .as_u16())
    };
    for _ in 0..3 {
        println!("one client: {}", get("192.0.2.1:1").await?);
    }
    println!("another client: {}", get("192.0.2.2:1").await?);
    clock.advance(Duration::from_secs(5));
    println!(
        "the first, five seconds later: {}",
        get("192.0.2.1:1").await?
    );

    // The handler without its limit, called as a function.
    let response = item(Limited::bypass((web::Path::from(7),))).await;
    println!("without the limit: {}", response.status());
    Ok(())
}
