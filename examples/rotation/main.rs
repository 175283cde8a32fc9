//! Rotates the password of Redis while the service runs.
//!
//! ```sh
//! redis-cli ACL SETUSER throttle on '>old' '~throttle:*' +@all
//! echo old > password
//! REDIS_URL=redis://127.0.0.1:6379 cargo run --example rotation &
//! redis-cli ACL SETUSER throttle '>new'    # both are valid
//! echo new > password; sleep 2             # every connection authenticates by the new one
//! redis-cli ACL SETUSER throttle '<old'
//! curl -i http://127.0.0.1:8080/
//! ```

mod credentials;

use std::{env, fs, time::Duration};

use actix_throttle::{RateLimiter, deadpool_redis::redis::BasicAuth, rate_limit};
use actix_web::{App, HttpServer, Responder, get, rt};
use tokio::sync::watch;

use self::credentials::{Credentials, pool};

const USER: &str = "throttle";
const FILE: &str = "password";

#[get("/")]
#[rate_limit(times = 2, seconds = 5)]
async fn index() -> impl Responder {
    "hello"
}

fn read() -> std::io::Result<BasicAuth> {
    let password = fs::read_to_string(FILE)?;
    Ok(BasicAuth::new(USER.to_owned(), password.trim().to_owned()))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    env_logger::init();
    let (changes, now) = watch::channel(read()?);
    rt::spawn(async move {
        loop {
            rt::time::sleep(Duration::from_secs(1)).await;
            // The file may be incomplete during a write; read it again a second later.
            let Ok(read) = read() else { continue };
            changes.send_if_modified(|now| {
                let is_new = now.password() != read.password() && !read.password().is_empty();
                if is_new {
                    *now = read;
                }
                is_new
            });
        }
    });
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    RateLimiter::init(pool(&url, Credentials(now))?).await?;
    HttpServer::new(|| App::new().service(index))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await?;
    RateLimiter::close().await;
    Ok(())
}
