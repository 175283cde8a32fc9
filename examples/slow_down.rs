//! A client that asks a lot becomes slower before it is denied.
//!
//! ```console
//! $ for i in $(seq 9); do
//! >   curl -so /dev/null -w '%{http_code} %{time_total}\n' http://127.0.0.1:8080/
//! > done
//! ```

use actix_throttle::{RateLimiter, rate_limit};
use actix_web::{App, HttpServer, get};

/// The first three requests of a minute are answered at once. The 4th waits for 200 ms, the 5th for
/// 400 ms, and from the 8th on each waits for a second. The 9th is denied.
#[get("/")]
#[rate_limit("8/minute", slow_after = 3, slow_by = "200ms", slow_max = "1s")]
async fn index() -> &'static str {
    "hello\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    RateLimiter::builder().memory().init().await?;
    println!("try, nine times:  curl -w '%{{time_total}}\\n' http://127.0.0.1:8080/");
    HttpServer::new(|| App::new().service(index))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
