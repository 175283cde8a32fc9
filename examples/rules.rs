//! Rules for a whole application from `rules.toml`, together with attributes. Environment:
//!
//! | variable | value | default |
//! |---|---|---|
//! | `PORT` | port on 127.0.0.1 | 8080 |
//! | `REDIS_URL` | URL of a Redis server | none: the in-memory store |
//! | `RULES` | the configuration file, TOML or YAML | `examples/rules.toml` |
//!
//! The header `X-User` names the user, and `X-Group` the group; your application has better
//! sources. A request without `X-User` is counted by its address.

use std::{env, error::Error, time::Duration};

use actix_throttle::{Config, Decision, RateLimiter, Throttle, rate_limit};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder, get, post, rt, web};

/// Returns the user and the group. The file refers to this function as `identifier = "by_user"`,
/// and it is this limiter's default identifier.
async fn by_user(request: &HttpRequest) -> Option<(String, String)> {
    let header = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    let group = header("X-Group").unwrap_or_else(|| "default".to_owned());
    Some((header("X-User")?, group))
}

/// Replaces the problem document of denied requests.
fn too_many(_: &HttpRequest, denied: &Decision) -> HttpResponse {
    let wait = denied.retry_after().unwrap_or_default();
    HttpResponse::TooManyRequests().body(format!("come back in {:.1} s\n", wait.as_secs_f64()))
}

/// Uses the file's limit `login`, which counts wrong passwords only. The right one is `swordfish`.
#[post("/login")]
#[rate_limit(limit = "login")]
async fn login(password: String) -> impl Responder {
    match password.as_str() {
        "swordfish" => HttpResponse::Ok().body("welcome\n"),
        _ => HttpResponse::Unauthorized().body("wrong password\n"),
    }
}

/// Uses the file's limit `search` in place of the middleware's; 5/minute if the file has none.
#[get("/api/search")]
#[rate_limit("5/minute", limit = "search")]
async fn search() -> impl Responder {
    "found\n"
}

/// The file's rule for this handler matches the route pattern, not the path.
#[get("/user/{id}")]
async fn user(id: web::Path<u32>) -> impl Responder {
    format!("user {id}\n")
}

/// Takes two seconds. The file's rule sets how many exports may run at once.
#[get("/export")]
async fn export() -> impl Responder {
    rt::time::sleep(Duration::from_secs(2)).await;
    "exported\n"
}

/// Shows what the file's shadow limits would have denied so far.
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
    let _watch = config.watch()?; // reloads when the file changes, and on SIGHUP

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
