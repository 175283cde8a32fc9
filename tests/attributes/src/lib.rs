//! Handlers that are clean under these lints without the macros of actix-throttle, and must stay
//! clean with them. The build is the test: `cargo clippy` checks the lints of Clippy, any build the
//! others.
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

#[cfg(doctest)]
mod documentation;

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

/// A handler whose return value is a future too.
#[get("/builder")]
#[rate_limit("9/minute")]
async fn builder() -> impl Responder {
    HttpResponse::Ok()
}

fn too_many(_: &HttpRequest, _: &Decision) -> HttpResponse {
    HttpResponse::TooManyRequests().finish()
}

/// A handler that awaits nothing.
#[get("/plain")]
#[rate_limit("5/second")]
async fn plain() -> &'static str {
    "plain"
}

/// A handler with stacked attributes that use every argument.
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

/// A handler with its route below the limit, with arguments and a body that awaits.
#[rate_limit("5/second", dynamic = as_written)]
#[post("/body/{id}")]
async fn body(id: web::Path<u32>, body: String) -> Result<HttpResponse, Error> {
    actix_web::rt::task::yield_now().await;
    Ok(HttpResponse::Ok().body(format!("{id}{body}")))
}

/// A handler with rules for groups, one of which is unlimited.
#[get("/groups")]
#[rate_limit("5/second", shadow)]
#[rate_limit("50/minute", group = "pro")]
#[rate_limit(unlimited, group = "admin")]
async fn groups() -> Result<&'static str, Error> {
    Ok("groups")
}

/// A handler with named limits from the configuration.
#[get("/named")]
#[rate_limit(limit = "login")]
#[limited("5/second", limit = "other")]
async fn named() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// A handler whose attributes are written by path.
#[get("/by-path")]
#[actix_throttle::rate_limit("5/second")]
#[actix_throttle::concurrency_limit(max = 4)]
async fn by_path() -> &'static str {
    "by path"
}

/// A generic handler without a route attribute.
#[rate_limit("5/second")]
pub async fn generic<T: Display + 'static>(shown: web::Data<T>) -> String {
    shown.to_string()
}

/// A handler with a pattern and an unused argument.
#[rate_limit("5/second")]
pub async fn pattern(web::Json((one, _)): web::Json<(u32, u32)>, _: web::Bytes) -> String {
    one.to_string()
}

/// A handler with arguments under `cfg`.
#[rate_limit("5/second")]
pub async fn conditional(
    #[cfg(any())] _none: web::Bytes,
    #[cfg_attr(any(), cfg(any()))] shown: web::Data<u32>,
) -> String {
    shown.to_string()
}

/// A handler that ends only by an early `return`.
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

/// A handler that never returns.
#[rate_limit("5/second")]
pub async fn diverging(_: web::Bytes) -> Result<HttpResponse, Error> {
    loop {
        actix_web::rt::task::yield_now().await;
    }
}

/// A handler that begins with an item: Clippy must not see statements of the macro before it.
#[rate_limit("5/second")]
pub async fn with_items(text: String) -> String {
    const SUFFIX: &str = "!";
    let mut text = text;
    text.push_str(SUFFIX);
    text
}

/// A type with handlers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Api<T>(T);

impl<T: FromRequest + Display + 'static> Api<T> {
    const TIMES: u32 = 9;

    const fn nobody(_: &HttpRequest) -> Option<String> {
        None
    }

    /// Handler that uses the type's parameter.
    #[rate_limit("5/second")]
    pub async fn show(shown: T) -> impl Responder {
        Self::text(&shown)
    }

    /// Handler whose limit comes from the type.
    #[rate_limit(times = Self::TIMES, seconds = 1, identifier = Self::nobody)]
    #[rate_limit("5/minute")]
    pub async fn own(shown: T) -> String {
        Self::text(&shown)
    }

    fn text(shown: &T) -> String {
        shown.to_string()
    }
}

/// Declares a handler with the signature that it has once it is limited.
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

/// Registers all handlers.
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
