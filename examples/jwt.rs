//! Users and plans out of signed tokens (JWT).
//!
//! The two tokens are signed by the secret below and expire in 2100. Make your own from the same
//! claims: `sub` is the user, `group` the plan.

use actix_throttle::{Identifier, Jwt, JwtKey, RateLimiter, rate_limit};
use actix_web::{App, HttpServer, get};

const SECRET: &str = "for this example alone, 32 bytes or more";
const ADA: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJzdWIiOiJhZGEiLCJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjoic2hvcCIsImV4cCI6NDEwMjQ0NDgwMH0.\
    UKSLGowEmHaBUFmdO0ndlAlV8Nb3ZOqv_EKjSHYLmno";
const BOB: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJzdWIiOiJib2IiLCJncm91cCI6InBybyIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZS5jb20iLCJhdWQiOiJzaG9wIiwiZXhwIjo0MTAyNDQ0ODAwfQ.\
    Uk43cMSzU2UXgEn-r9IUB3_8TUf2WAGO2_eAT1zIq8k";

/// Each user has 2 requests a minute, and 4 with the plan `pro`. A request without a valid token
/// counts by its address.
#[get("/report")]
#[rate_limit("2/minute")]
#[rate_limit("4/minute", group = "pro")]
async fn report() -> &'static str {
    "a report\n"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jwt = Jwt::builder()
        .key(JwtKey::secret(SECRET)) // or `JwtKey::public` of a PEM file
        .issuer("https://id.example.com")
        .audience("shop")
        .build()?;
    RateLimiter::builder()
        .memory()
        .identifier(Identifier::jwt(jwt))
        .init()
        .await?;
    println!("try, several times:");
    println!("  curl -i -H 'Authorization: Bearer {ADA}' http://127.0.0.1:8080/report");
    println!("with the plan `pro`:");
    println!("  curl -i -H 'Authorization: Bearer {BOB}' http://127.0.0.1:8080/report");
    HttpServer::new(|| App::new().service(report))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await?;
    Ok(())
}
