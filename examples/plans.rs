//! Limits by plan: groups, a limit made at run time, and requests that cost more than others.

use actix_throttle::{Identity, Limit, RateLimiter, rate_limit};
use actix_web::{App, HttpRequest, HttpServer, get};

/// The user and the plan. Your application knows them from a session, a token or a database; here
/// two headers stand in. Without `X-User` the client's address counts.
fn by_user(request: &HttpRequest) -> Option<Identity> {
    let user = header(request, "X-User")?;
    let plan = header(request, "X-Plan").unwrap_or("free");
    Some(Identity::new(user).group(plan.to_owned()))
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}

/// Users of the plan `pro` have a limit of their own, `admin` has none, and all other users have
/// the first.
#[get("/report")]
#[rate_limit("2/minute", identifier = by_user)]
#[rate_limit("4/minute", identifier = by_user, group = "pro")]
#[rate_limit(unlimited, identifier = by_user, group = "admin")]
async fn report() -> &'static str {
    "a report\n"
}

/// A limit by caller, from a database for example. `None` is the limit of the attribute.
fn by_plan(_: &HttpRequest, caller: &Identity) -> Option<Limit> {
    (caller.group_name() == Some("pro")).then(|| Limit::per_minute(100))
}

/// The cost of a request: one unit for each page that it asks for.
fn pages(request: &HttpRequest) -> u32 {
    let pages = request.match_info().get("pages");
    pages.and_then(|pages| pages.parse().ok()).unwrap_or(1)
}

#[get("/export/{pages}")]
#[rate_limit("10/minute", identifier = by_user, dynamic = by_plan, cost = pages)]
async fn export() -> &'static str {
    "an export\n"
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    RateLimiter::builder().memory().init().await?;
    println!("try, several times:");
    println!("  curl -i -H 'X-User: ada' http://127.0.0.1:8080/report");
    println!("  curl -i -H 'X-User: bob' -H 'X-Plan: pro' http://127.0.0.1:8080/report");
    println!("  curl -i -H 'X-User: ada' http://127.0.0.1:8080/export/7");
    println!("  curl -i -H 'X-User: bob' -H 'X-Plan: pro' http://127.0.0.1:8080/export/7");
    HttpServer::new(|| App::new().service((report, export)))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await
}
