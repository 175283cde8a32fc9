//! Your own response to a denied request, and another style of headers.

use actix_throttle::{Decision, HeaderStyle, RateLimiter, rate_limit};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, get};

/// The response in place of the problem document. `Retry-After` and the rate-limit headers are
/// added to it.
fn too_many(_: &HttpRequest, denied: &Decision) -> HttpResponse {
    let seconds = denied.retry_after_seconds().unwrap_or_default();
    HttpResponse::TooManyRequests().body(format!("come back in {seconds} s\n"))
}

/// This handler's own response.
fn busy(_: &HttpRequest, _: &Decision) -> HttpResponse {
    HttpResponse::TooManyRequests().body("no more tea today\n")
}

#[get("/")]
#[rate_limit("2/5s")]
#[rate_limit("10/minute")]
async fn index() -> &'static str {
    "hello\n"
}

#[get("/tea")]
#[rate_limit("1/minute", on_limited = busy)]
async fn tea() -> &'static str {
    "tea\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    RateLimiter::builder()
        .memory()
        .headers(HeaderStyle::Both) // `X-RateLimit-*`, and `RateLimit` of the IETF's draft
        .on_limited(too_many)
        .init()
        .await?;
    println!("try, three times:");
    println!("  curl -i http://127.0.0.1:8080/");
    println!("  curl -i http://127.0.0.1:8080/tea");
    HttpServer::new(|| App::new().service((index, tea)))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
