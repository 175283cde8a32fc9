//! Shapes of handlers that have to compile without a warning.
#![deny(warnings)]

use std::sync::LazyLock;

use actix_throttle::{
    DynamicLimit, Identifier, Identity, Limit, rate_limit, rate_limit as limited,
};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, Responder, get, post, routes, web};

const SIX: u32 = 6;
const MINUTE: u32 = 60;

fn cost_of(_: &HttpRequest) -> u32 {
    2
}

fn is_internal(_: &HttpRequest) -> bool {
    false
}

fn by_plan(_: &HttpRequest, _: &Identity) -> Option<Limit> {
    None
}

async fn by_session(request: &HttpRequest) -> Option<String> {
    request
        .cookie("sid")
        .map(|cookie| cookie.value().to_owned())
}

fn path(_: &HttpRequest) -> Option<Identity> {
    Some(Identity::global())
}

#[get("/above")]
#[rate_limit(times = 2, seconds = 5)]
async fn above() -> impl Responder {
    "hello"
}

#[rate_limit(
    "5 per 10 seconds",
    algorithm = "token_bucket",
    capacity = 7,
    refill = "interval"
)]
#[rate_limit(times = SIX, minutes = 1, seconds = 2 * MINUTE, cost = cost_of, skip_if = is_internal)]
#[rate_limit("100/hour", group = "pro", identifier = by_session, dynamic = by_plan, shadow)]
#[rate_limit(unlimited, group = "admin", identifier = header("X-Api-Key"))]
#[post("/below/{id}")]
async fn below(
    mut id: web::Path<u32>,
    web::Json(body): web::Json<Vec<u32>>,
) -> Result<impl Responder, actix_web::Error> {
    *id += body.iter().sum::<u32>();
    Ok(id.to_string())
}

#[routes]
#[get("/one")]
#[post("/two")]
#[rate_limit("5/second", identifier = self::path, block = "1m 30s", name = "a b", zone = "z")]
async fn both() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[get("/failing")]
#[rate_limit("5/s", failure_mode = "open")]
#[rate_limit("50/minute", failure_mode = "closed")]
#[rate_limit("500/hour", failure_mode = "local", group = "pro", shadow)]
async fn failing() -> &'static str {
    "hello"
}

#[get("/refunded")]
#[rate_limit("10/minute", refund_on = "5xx, 404")]
#[rate_limit("100/hour", refund_on = "500-504", skip_if = is_internal)]
async fn refunded() -> &'static str {
    "hello"
}

#[get("/leased")]
#[rate_limit("1000/minute", algorithm = "fixed_window", lease = 50)]
#[rate_limit("100/second", lease = 2 * SIX)]
async fn leased() -> &'static str {
    "hello"
}

#[limited("3/s")]
#[get("/renamed")]
#[limited("4/m")]
async fn renamed(body: String) -> String {
    body
}

#[rate_limit("5/s")]
#[cfg_attr(test, rate_limit("6/m"))]
#[get("/configured")]
async fn configured() -> &'static str {
    "hello"
}

#[rate_limit("5/s")]
async fn generic<T, const N: usize>(value: T) -> String
where
    T: FromRequest + ToString + 'static,
{
    format!("{}{N}", value.to_string())
}

#[rate_limit("5/s")]
async fn drop() -> &'static str {
    "a name of the prelude"
}

#[rate_limit("5/s")]
async fn r#type() -> &'static str {
    "a keyword"
}

#[rate_limit("5/s")]
#[allow(clippy::too_many_arguments)]
async fn seventeen(
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    _: HttpRequest,
    body: String,
) -> String {
    body
}

#[allow(non_upper_case_globals)]
static by_key: LazyLock<Identifier> = LazyLock::new(|| Identifier::header("X-Api-Key"));

#[rate_limit("5/s", identifier = &by_key)]
async fn by_a_static() -> &'static str {
    "hello"
}

async fn is_late(_: &HttpRequest) -> bool {
    false
}

async fn by_database(_: &HttpRequest, _: &Identity) -> DynamicLimit {
    DynamicLimit::Unlimited
}

#[rate_limit("5/s", skip_if = is_late, dynamic = by_database, crate = actix_throttle)]
async fn waits() -> &'static str {
    "hello"
}

/// The body begins with an attribute.
#[rate_limit("5/s")]
async fn attributed(one: String) -> String {
    #![allow(unused_variables)]
    let unused = one.len();
    one
}

#[rate_limit("5/s")]
async fn never(_: String) -> Result<impl Responder, actix_web::Error> {
    if true {
        return Ok("hello");
    }
    Err(actix_web::error::ErrorImATeapot("tea"))?
}

/// The errors about `session` and `jwt` say to write this.
#[rustfmt::skip]
static BY_SESSION: std::sync::LazyLock<actix_throttle::Identifier> = std::sync::LazyLock::new(actix_throttle::Identifier::session);
#[rustfmt::skip]
static BY_TOKEN: std::sync::LazyLock<actix_throttle::Identifier> = std::sync::LazyLock::new(|| { let key = actix_throttle::JwtKey::secret(std::env::var("JWT_SECRET").unwrap()); let jwt = actix_throttle::Jwt::builder().key(key).build(); actix_throttle::Identifier::jwt(jwt.unwrap()) });

#[rate_limit("5/s", identifier = BY_SESSION)]
#[rate_limit("5/m", identifier = BY_TOKEN)]
async fn by_user() -> &'static str {
    "hello"
}

struct Api;

impl Api {
    #[rate_limit("5/s")]
    pub(crate) async fn associated() -> &'static str {
        "hello"
    }
}

macro_rules! handler {
    ($vis:vis $name:ident, $times:expr, $seconds:literal, $body:block) => {
        #[rate_limit(times = $times, seconds = $seconds)]
        $vis async fn $name() -> &'static str $body
    };
}

handler!(pub(crate) generated, 5, 7, { "hello" });

#[test]
fn every_shape_is_a_handler() {
    let _ = App::new()
        .service(above)
        .service(below)
        .service(both)
        .service(failing)
        .service(refunded)
        .service(leased)
        .service(renamed)
        .service(configured)
        .route("/a", web::get().to(generic::<String, 4>))
        .route("/b", web::get().to(drop))
        .route("/c", web::get().to(r#type))
        .route("/d", web::get().to(seventeen))
        .route("/e", web::get().to(Api::associated))
        .route("/f", web::get().to(generated))
        .route("/g", web::get().to(by_a_static))
        .route("/h", web::get().to(waits))
        .route("/i", web::get().to(attributed))
        .route("/j", web::get().to(never))
        .route("/k", web::get().to(by_user));
}
