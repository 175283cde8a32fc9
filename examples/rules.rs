//! Rules for a whole application out of `rules.toml`, beside attributes. Environment:
//!
//! | variable | value | default |
//! |---|---|---|
//! | `PORT` | where to listen, on 127.0.0.1 | 8080 |
//! | `REDIS_URL` | a server | none: the embedded store |
//! | `RULES` | the file, TOML or YAML | `examples/rules.toml` |
//!
//! Callers are told apart by the header `X-User`, and grouped by `X-Group`: in place of what your
//! application knows of them. Without it they are their address.

use std::{env, error::Error, time::Duration};

use actix_throttle::{Config, Decision, RateLimiter, Throttle, rate_limit};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder, get, post, rt, web};

/// Who, and in which group: what `identifier = "by_user"` means in the file, and here the default.
async fn by_user(request: &HttpRequest) -> Option<(String, String)> {
    let header = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    let group = header("X-Group").unwrap_or_else(|| "default".to_owned());
    Some((header("X-User")?, group))
}

/// In place of the problem document.
fn too_many(_: &HttpRequest, denied: &Decision) -> HttpResponse {
    let wait = denied.retry_after().unwrap_or_default();
    HttpResponse::TooManyRequests().body(format!("come back in {:.1} s\n", wait.as_secs_f64()))
}

/// The file's limit `login` counts wrong passwords alone. The right one is `swordfish`.
#[post("/login")]
#[rate_limit(limit = "login")]
async fn login(password: String) -> impl Responder {
    match password.as_str() {
        "swordfish" => HttpResponse::Ok().body("welcome\n"),
        _ => HttpResponse::Unauthorized().body("wrong password\n"),
    }
}

/// The file's limit `search` in place of the middleware's; 5/minute if the file has none.
#[get("/api/search")]
#[rate_limit("5/minute", limit = "search")]
async fn search() -> impl Responder {
    "found\n"
}

/// The file's rule for it goes by this pattern, and not by the path.
#[get("/user/{id}")]
async fn user(id: web::Path<u32>) -> impl Responder {
    format!("user {id}\n")
}

/// It takes a while, and the file's rule says how many may run at once.
#[get("/export")]
async fn export() -> impl Responder {
    rt::time::sleep(Duration::from_secs(2)).await;
    "exported\n"
}

/// What the candidates in the file would have denied so far.
#[get("/health")]
async fn health(limiter: web::Data<RateLimiter>) -> impl Responder {
    format!("{:?}\n", limiter.shadow_denials())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("info"));
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/rules.toml");
    let file = env::var("RULES").unwrap_or_else(|_| default.to_owned());
    let config = Config::builder()
        .identifier("by_user", by_user)
        .load(file)?;
    let _watch = config.watch()?; // on a change of the file, and on SIGHUP

    let limiter = RateLimiter::builder()
        .config(&config)
        .identifier(by_user)
        .on_limited(too_many);
    let limiter = match env::var("REDIS_URL") {
        Ok(url) => limiter.redis_url(url),
        Err(_) => limiter.memory(),
    };
    let limiter = web::Data::new(limiter.build().await?);

    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    println!("listening on http://127.0.0.1:{port}");
    HttpServer::new(move || {
        App::new()
            .app_data(limiter.clone())
            .wrap(Throttle::from_config(&config))
            .service((login, search, user, export, health))
            .default_service(web::to(|| async { "ok\n" }))
    })
    .bind(("127.0.0.1", port))?
    .run()
    .await?;
    Ok(())
}
