//! The forms that a limited handler may have: the number of its arguments, generics, return types.

use std::{convert::Infallible, fmt, future};

use actix_throttle::rate_limit;
use actix_web::{
    Either, FromRequest, HttpRequest, HttpResponse, Responder, ResponseError,
    dev::Payload,
    error::ErrorImATeapot,
    http::StatusCode,
    web::{self, ServiceConfig},
};

use harness::http::app::{TestApp, post};

/// An extractor that returns its position.
struct Nth<const N: u32>(u32);

impl<const N: u32> FromRequest for Nth<N> {
    type Error = Infallible;
    type Future = future::Ready<Result<Self, Infallible>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        future::ready(Ok(Self(N)))
    }
}

/// An extractor that always fails.
struct Refused;

impl FromRequest for Refused {
    type Error = actix_web::Error;
    type Future = future::Ready<Result<Self, actix_web::Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        future::ready(Err(ErrorImATeapot("refused")))
    }
}

#[rate_limit("1/minute")]
async fn none() -> String {
    "[]".to_owned()
}

#[rate_limit("1/minute")]
async fn one(a: Nth<0>) -> String {
    format!("{:?}", [a.0])
}

#[rate_limit("1/minute")]
async fn three(a: Nth<0>, b: Nth<1>, c: Nth<2>) -> String {
    format!("{:?}", [a.0, b.0, c.0])
}

#[rate_limit("1/minute")]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments)]
async fn twelve(
    a: Nth<0>, b: Nth<1>, c: Nth<2>, d: Nth<3>, e: Nth<4>, f: Nth<5>, g: Nth<6>, h: Nth<7>,
    i: Nth<8>, j: Nth<9>, k: Nth<10>, l: Nth<11>,
) -> String {
    format!("{:?}", [a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0, i.0, j.0, k.0, l.0])
}

#[rate_limit("1/minute")]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments)]
async fn sixteen(
    a: Nth<0>, b: Nth<1>, c: Nth<2>, d: Nth<3>, e: Nth<4>, f: Nth<5>, g: Nth<6>, h: Nth<7>,
    i: Nth<8>, j: Nth<9>, k: Nth<10>, l: Nth<11>, m: Nth<12>, n: Nth<13>, o: Nth<14>, p: Nth<15>,
) -> String {
    format!("{:?}", [
        a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0, i.0, j.0, k.0, l.0, m.0, n.0, o.0, p.0,
    ])
}

/// One argument more than a tuple of extractors may have.
#[rate_limit("1/minute")]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments)]
async fn seventeen(
    a: Nth<0>, b: Nth<1>, c: Nth<2>, d: Nth<3>, e: Nth<4>, f: Nth<5>, g: Nth<6>, h: Nth<7>,
    i: Nth<8>, j: Nth<9>, k: Nth<10>, l: Nth<11>, m: Nth<12>, n: Nth<13>, o: Nth<14>, p: Nth<15>,
    q: Nth<16>,
) -> String {
    format!("{:?}", [
        a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0, i.0, j.0, k.0, l.0, m.0, n.0, o.0, p.0, q.0,
    ])
}

#[rate_limit("1/minute")]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments)]
async fn seventeen_with_body(
    _: Nth<0>, _: Nth<1>, _: Nth<2>, _: Nth<3>, _: Nth<4>, _: Nth<5>, _: Nth<6>, _: Nth<7>,
    _: Nth<8>, _: Nth<9>, _: Nth<10>, _: Nth<11>, _: Nth<12>, _: Nth<13>, _: Nth<14>, _: Nth<15>,
    body: String,
) -> String {
    body
}

#[rate_limit("1/minute")]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments)]
async fn seventeen_refused(
    _: Nth<0>, _: Nth<1>, _: Nth<2>, _: Nth<3>, _: Nth<4>, _: Nth<5>, _: Nth<6>, _: Nth<7>,
    _: Nth<8>, _: Nth<9>, _: Nth<10>, _: Nth<11>, _: Nth<12>, _: Nth<13>, _: Nth<14>, _: Nth<15>,
    _: Refused,
) -> String {
    unreachable!("an argument is missing")
}

fn by_count(config: &mut ServiceConfig) {
    config
        .route("/0", web::get().to(none))
        .route("/1", web::get().to(one))
        .route("/3", web::get().to(three))
        .route("/12", web::get().to(twelve))
        .route("/16", web::get().to(sixteen))
        .route("/17", web::get().to(seventeen))
        .route("/17/body", web::post().to(seventeen_with_body))
        .route("/17/refused", web::get().to(seventeen_refused));
}

#[actix_web::test]
async fn arguments_of_any_number_arrive_in_order_and_the_limit_holds() {
    let service = TestApp::new().await.service(by_count).await;
    for count in [0, 1, 3, 12, 16, 17] {
        let path = format!("/{count}");
        let admitted = service.get(&path).await;
        assert_eq!(admitted.status, 200, "{count} arguments");
        assert_eq!(admitted.quota(), Some([1, 0, 60]), "{count} arguments");
        let expected: Vec<_> = (0..count).collect();
        assert_eq!(admitted.text(), format!("{expected:?}"));
        assert_eq!(service.get(&path).await.status, 429, "{count} arguments");
    }
}

#[actix_web::test]
async fn seventeenth_argument_may_take_the_body() {
    let service = TestApp::new().await.service(by_count).await;
    let answer = service.send(post("/17/body").set_payload("payload")).await;
    assert_eq!((answer.status, answer.text()), (200, "payload"));
}

#[actix_web::test]
async fn seventeenth_argument_may_refuse() {
    let service = TestApp::new().await.service(by_count).await;
    let answer = service.get("/17/refused").await;
    assert_eq!((answer.status, answer.text()), (418, "refused"));
    assert_eq!(answer.quota(), Some([1, 0, 60]));
    assert_eq!(service.get("/17/refused").await.status, 429);
}

trait Greeting {
    const TEXT: &'static str;
}

struct Hello;

impl Greeting for Hello {
    const TEXT: &'static str = "hello";
}

struct Welcome;

impl Greeting for Welcome {
    const TEXT: &'static str = "welcome";
}

#[rate_limit("3/minute")]
async fn greet<T: Greeting + 'static>(_: HttpRequest) -> &'static str {
    T::TEXT
}

#[rate_limit("3/minute")]
async fn repeat<T, const N: usize>() -> impl Responder
where
    T: Greeting + 'static,
{
    T::TEXT.repeat(N)
}

#[actix_web::test]
async fn generic_handler_is_one_handler_with_one_limit() {
    let routes = |config: &mut ServiceConfig| {
        config
            .route("/hello", web::get().to(greet::<Hello>))
            .route("/welcome", web::get().to(greet::<Welcome>))
            .route("/thrice", web::get().to(repeat::<Hello, 3>));
    };
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/hello").await.text(), "hello");
    let second = service.get("/welcome").await;
    assert_eq!((second.text(), second.remaining()), ("welcome", Some(1)));
    assert_eq!(service.statuses("/hello", 2).await, [200, 429]);
    let other = service.get("/thrice").await;
    assert_eq!(
        (other.text(), other.remaining()),
        ("hellohellohello", Some(2))
    );
}

#[derive(Debug)]
struct Sorry;

impl fmt::Display for Sorry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sorry")
    }
}

impl ResponseError for Sorry {
    fn status_code(&self) -> StatusCode {
        StatusCode::CONFLICT
    }
}

#[rate_limit("3/minute")]
async fn fallible(which: web::Path<String>) -> Result<impl Responder, Sorry> {
    match which.as_str() {
        "fine" => Ok(("fine", StatusCode::ACCEPTED)),
        _ => Err(Sorry),
    }
}

#[rate_limit("3/minute")]
async fn with_question_mark(which: web::Path<String>) -> actix_web::Result<HttpResponse> {
    let number: u32 = which.parse().map_err(ErrorImATeapot)?;
    Ok(HttpResponse::Ok().body((number + 1).to_string()))
}

#[rate_limit("3/minute")]
async fn either(which: web::Path<String>) -> Either<web::Json<u32>, HttpResponse> {
    match which.as_str() {
        "left" => Either::Left(web::Json(7)),
        _ => Either::Right(HttpResponse::Gone().finish()),
    }
}

fn by_result(config: &mut ServiceConfig) {
    config
        .route("/fallible/{which}", web::get().to(fallible))
        .route("/question/{which}", web::get().to(with_question_mark))
        .route("/either/{which}", web::get().to(either));
}

#[actix_web::test]
async fn response_of_handler_carries_the_headers() {
    let service = TestApp::new().await.service(by_result).await;
    for (path, status, body, remaining) in [
        ("/fallible/fine", 202, "fine", 2),
        ("/fallible/broken", 409, "sorry", 1),
        ("/question/41", 200, "42", 2),
        ("/question/x", 418, "invalid digit found in string", 1),
        ("/either/left", 200, "7", 2),
        ("/either/right", 410, "", 1),
    ] {
        let answer = service.get(path).await;
        assert_eq!((answer.status, answer.text()), (status, body), "{path}");
        assert_eq!(answer.quota(), Some([3, remaining, 60]), "{path}");
    }
}
