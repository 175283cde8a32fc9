//! Outbound calls by awc, Actix' own client: ten calls to a service that admits two a second. The
//! service is in this file, too. The example ends by itself, after five seconds or so.

use std::{error::Error, net::SocketAddr, time::Duration};

use actix_throttle::{Limit, Outgoing, RateLimiter, awc, rate_limit};
use actix_web::{App, HttpServer, get, rt};

/// A little longer than the second of the service, because calls take different times to arrive.
const TOWNS: Limit = Limit::new(2, Duration::from_millis(1_050))
    .name("towns")
    .expect_valid();

#[get("/towns")]
#[rate_limit("2/second")]
async fn towns() -> &'static str {
    "Aachen"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = start().await?;
    let limiter = RateLimiter::builder().memory().build().await?;
    let outgoing = Outgoing::new(&limiter).limit(TOWNS);
    let client = awc::Client::new();
    for number in 1..=10 {
        let call = client.get(format!("http://{address}/towns"));
        let response = outgoing.send(call, |call| call.send()).await?;
        println!("call {number}: {}", response.status());
    }
    Ok(())
}

/// Starts the service, with an in-memory store of its own.
async fn start() -> Result<SocketAddr, Box<dyn Error>> {
    let limiter = RateLimiter::builder().memory().build().await?;
    let app = move || App::new().app_data(limiter.clone()).service(towns);
    let server = HttpServer::new(app).workers(1).bind(("127.0.0.1", 0))?;
    let address = server.addrs()[0];
    rt::spawn(server.run());
    Ok(address)
}
