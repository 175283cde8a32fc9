//! Limits by API key. A request without a key is answered 401, and the address limits invented
//! keys.

use actix_throttle::{Identifier, RateLimiter, rate_limit};
use actix_web::{App, HttpResponse, HttpServer, get};

/// A client can invent keys, and each would be a fresh counter. So its address has a limit too, one
/// that many honest keys behind one address do not reach.
#[get("/data")]
#[rate_limit("2/minute")]
#[rate_limit("6/minute", identifier = ip)]
async fn data() -> &'static str {
    "data\n"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    RateLimiter::builder()
        .memory()
        // This identifier is for every limit that does not name its own.
        .identifier(Identifier::header("X-Api-Key"))
        .on_unidentified(|_| HttpResponse::Unauthorized().body("X-Api-Key is missing\n"))
        // Forwarding headers are believed from here alone. Without this line they are ignored.
        .trusted_proxies(["10.0.0.0/8"])?
        .init()
        .await?;
    println!("try, several times and with several keys:");
    println!("  curl -i http://127.0.0.1:8080/data");
    println!("  curl -i -H 'X-Api-Key: one' http://127.0.0.1:8080/data");
    HttpServer::new(|| App::new().service(data))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await?;
    Ok(())
}
