//! Handlers that are clean under these lints without an attribute of ours, and have to stay so. To
//! build this is the test: `cargo clippy` for the lints of clippy, anything else for the others.
#![deny(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    future_incompatible,
    let_underscore_drop,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unused,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    warnings
)]

use std::fmt::Display;

use actix_throttle::{
    Decision, DynamicLimit, Identity, Limit, Limited, concurrency_limit, rate_limit,
    rate_limit as limited,
};
use actix_web::{
    App, Error, FromRequest, HttpRequest, HttpResponse, Responder, get, post, web,
    web::ServiceConfig,
};

const FOUR: u32 = 4;

const fn cost(_: &HttpRequest) -> u32 {
    2
}

const fn nobody(_: &HttpRequest) -> Option<String> {
    None
}

const fn never(_: &HttpRequest) -> bool {
    false
}

const fn as_written(_: &HttpRequest, _: &Identity) -> DynamicLimit {
    DynamicLimit::Written
}

const fn by_plan(_: &HttpRequest, _: &Identity) -> Option<Limit> {
    None
}

/// Its return value is a future too.
#[get("/builder")]
#[rate_limit("9/minute")]
async fn builder() -> impl Responder {
    HttpResponse::Ok()
}

fn too_many(_: &HttpRequest, _: &Decision) -> HttpResponse {
    HttpResponse::TooManyRequests().finish()
}

/// Waits for nothing.
#[get("/plain")]
#[rate_limit("5/second")]
async fn plain() -> &'static str {
    "plain"
}

/// Stacked, with all that an attribute takes.
#[get("/stacked")]
#[rate_limit("5/second")]
#[rate_limit(times = FOUR, minutes = 1, cost = cost, identifier = nobody, block = "1m")]
#[rate_limit(times = 2 * FOUR, hours = 1, skip_if = never, dynamic = by_plan, refund_on = "5xx")]
#[rate_limit(
    "5/hour",
    algorithm = "token_bucket",
    capacity = 7,
    refill = "interval",
    lease = 4
)]
#[concurrency_limit(max = 2, identifier = global, max_wait = "1s", on_limited = too_many)]
async fn stacked() -> impl Responder {
    "stacked"
}

/// Below, with arguments and a body that waits.
#[rate_limit("5/second", dynamic = as_written)]
#[post("/body/{id}")]
async fn body(id: web::Path<u32>, body: String) -> Result<HttpResponse, Error> {
    actix_web::rt::task::yield_now().await;
    Ok(HttpResponse::Ok().body(format!("{id}{body}")))
}

/// Groups, of which one is not limited.
#[get("/groups")]
#[rate_limit("5/second", shadow)]
#[rate_limit("50/minute", group = "pro")]
#[rate_limit(unlimited, group = "admin")]
async fn groups() -> Result<&'static str, Error> {
    Ok("groups")
}

/// By a configuration.
#[get("/named")]
#[rate_limit(limit = "login")]
#[limited("5/second", limit = "other")]
async fn named() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// By path.
#[get("/by-path")]
#[actix_throttle::rate_limit("5/second")]
#[actix_throttle::concurrency_limit(max = 4)]
async fn by_path() -> &'static str {
    "by path"
}

/// Generic, and not under a route's attribute.
#[rate_limit("5/second")]
pub async fn generic<T: Display + 'static>(shown: web::Data<T>) -> String {
    shown.to_string()
}

/// A pattern, and nothing of it in use.
#[rate_limit("5/second")]
pub async fn pattern(web::Json((one, _)): web::Json<(u32, u32)>, _: web::Bytes) -> String {
    one.to_string()
}

/// Only now and then an argument.
#[rate_limit("5/second")]
pub async fn conditional(
    #[cfg(any())] _none: web::Bytes,
    #[cfg_attr(any(), cfg(any()))] shown: web::Data<u32>,
) -> String {
    shown.to_string()
}

/// Never returns by its end.
#[rate_limit("5/second")]
pub async fn early(shown: web::Data<u32>) -> &'static str {
    if **shown == 0 {
        return "none";
    }
    loop {
        actix_web::rt::task::yield_now().await;
        if **shown > 1 {
            return "many";
        }
    }
}

/// Never comes to its end.
#[rate_limit("5/second")]
pub async fn diverging(_: web::Bytes) -> Result<HttpResponse, Error> {
    loop {
        actix_web::rt::task::yield_now().await;
    }
}

/// Statements, then items, as one may write them without our attribute.
#[rate_limit("5/second")]
pub async fn with_items(text: String) -> String {
    const SUFFIX: &str = "!";
    let mut text = text;
    text.push_str(SUFFIX);
    text
}

/// Handlers of a type.
#[derive(Clone, Copy, Debug, Default)]
pub struct Api<T>(T);

impl<T: FromRequest + Display + 'static> Api<T> {
    const TIMES: u32 = 9;

    const fn nobody(_: &HttpRequest) -> Option<String> {
        None
    }

    /// Takes what the type says.
    #[rate_limit("5/second")]
    pub async fn show(shown: T) -> impl Responder {
        Self::text(&shown)
    }

    /// Has its limit from the type.
    #[rate_limit(times = Self::TIMES, seconds = 1, identifier = Self::nobody)]
    #[rate_limit("5/minute")]
    pub async fn own(shown: T) -> String {
        Self::text(&shown)
    }

    fn text(shown: &T) -> String {
        shown.to_string()
    }
}

/// Declares a handler as it is once it is limited.
pub trait Resource {
    /// The handler.
    fn show(limited: Limited<(String,)>) -> impl Future<Output = HttpResponse>;
}

impl Resource for u32 {
    #[rate_limit("5/second")]
    async fn show(text: String) -> String {
        text
    }
}

/// All of them.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service((plain, stacked, body, groups, named, by_path, builder))
        .route("/generic", web::get().to(generic::<u32>))
        .route("/pattern", web::post().to(pattern))
        .route("/conditional", web::get().to(conditional))
        .route("/early", web::get().to(early))
        .route("/diverging", web::get().to(diverging))
        .route("/with-items", web::post().to(with_items))
        .route("/api", web::post().to(Api::<String>::show))
        .route("/own", web::post().to(Api::<String>::own))
        .route("/resource", web::post().to(u32::show));
    drop(App::new());
}
