//! Networks that are not limited, and networks that are denied, behind a proxy on this machine.

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, get};

#[get("/")]
#[rate_limit("2/minute")]
async fn index() -> &'static str {
    "hello\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    RateLimiter::builder()
        .memory()
        // `curl` plays the proxy: it names the client's address.
        .trusted_proxies(["127.0.0.1"])?
        .allow(["10.0.0.0/8", "2001:db8:1::/48"])?
        .deny(["203.0.113.0/24"])?
        .init()
        .await?;
    println!("try:");
    println!(
        "  for i in 1 2 3; do curl -i -H 'X-Forwarded-For: 198.51.100.1' http://127.0.0.1:8080/; done"
    );
    println!(
        "  for i in 1 2 3; do curl -i -H 'X-Forwarded-For: 10.1.2.3' http://127.0.0.1:8080/; done"
    );
    println!("  curl -i -H 'X-Forwarded-For: 203.0.113.9' http://127.0.0.1:8080/");
    HttpServer::new(|| App::new().service(index))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
