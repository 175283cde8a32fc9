//! An OpenAPI document that names the denials of each handler. `GET /openapi.json` returns it.

use actix_throttle::{
    FailureMode, HeaderStyle, RateLimiter,
    openapi::{Closed, Ietf},
    rate_limit,
};
use actix_web::{App, HttpResponse, HttpServer, Responder, get};
use utoipa::OpenApi;

/// The 429 with the headers that `main` chooses. It is written once, for all handlers.
type RateLimited = actix_throttle::RateLimited<Ietf>;

/// The 503 besides, for handlers that fail closed.
type RateLimitedOr503 = actix_throttle::RateLimited<Ietf, Closed>;

#[utoipa::path(responses((status = 200, body = String), RateLimited))]
#[get("/towns")]
#[rate_limit("2/5s")]
async fn towns() -> impl Responder {
    "Ulm\n"
}

#[utoipa::path(responses((status = 200, body = String), RateLimitedOr503))]
#[get("/login")]
#[rate_limit("5/minute", failure_mode = "closed")]
async fn login() -> impl Responder {
    "welcome\n"
}

#[derive(OpenApi)]
#[openapi(paths(towns, login))]
struct Document;

#[get("/openapi.json")]
async fn document() -> impl Responder {
    HttpResponse::Ok().json(Document::openapi())
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    RateLimiter::builder()
        .memory()
        .headers(HeaderStyle::Ietf)
        .failure_mode(FailureMode::Open)
        .init()
        .await?;
    println!("try:");
    println!("  curl http://127.0.0.1:8080/openapi.json");
    println!("  curl -i http://127.0.0.1:8080/towns     (three times)");
    HttpServer::new(|| App::new().service((towns, login, document)))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
