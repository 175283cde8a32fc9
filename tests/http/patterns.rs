//! Argument patterns, private types and other code of real handlers.

use actix_throttle::rate_limit;
use actix_web::{
    HttpRequest, post,
    web::{self, ServiceConfig},
};
use serde::Deserialize;

use harness::http::app::{TestApp, get, post};

#[derive(Deserialize)]
struct Page {
    number: u32,
    size: u32,
}

#[rate_limit("9/minute")]
async fn destructured(
    owner: web::Path<(String, u32)>,
    web::Query(Page { number, size: each }): web::Query<Page>,
    web::Json((name, [first, ..])): web::Json<(String, [u8; 3])>,
) -> String {
    let (owner, id) = owner.into_inner();
    format!("{owner} {id} {} {name} {first}", number * each)
}

#[rate_limit("9/minute")]
async fn mutable(mut body: String, #[allow(unused_variables)] unused: HttpRequest) -> String {
    body.push('!');
    body
}

#[rate_limit("9/minute")]
async fn ignored(_: HttpRequest, _path: web::Path<(String,)>, _: String) -> &'static str {
    "ignored"
}

/// Names that the macro might use in its expansion.
#[rate_limit("9/minute", identifier = by_request)]
async fn same_names(request: HttpRequest, a0: web::Path<String>, body: String) -> String {
    let limiter = "limiter";
    let response = format!("{} {a0} {body} {limiter}", request.method());
    response
}

fn by_request(request: &HttpRequest) -> String {
    request.method().to_string()
}

/// A body with `?`, blocks, closures, `await` and an inner function.
#[rate_limit("9/minute")]
async fn busy(numbers: web::Json<Vec<u32>>) -> Result<String, actix_web::Error> {
    async fn double(number: u32) -> u32 {
        number * 2
    }
    let mut sum = 0;
    for number in numbers.iter().copied().filter(|number| number % 2 == 1) {
        sum += double(number).await;
    }
    let text = String::from_utf8(sum.to_string().into_bytes())
        .map_err(actix_web::error::ErrorInternalServerError)?;
    if sum == 0 {
        return Ok("none".to_owned());
    }
    Ok(text)
}

mod inner {
    //! A handler whose types are private to its module.

    use actix_throttle::rate_limit;
    use actix_web::{Responder, get, web};
    use serde::{Deserialize, Serialize};

    #[derive(Deserialize, Serialize)]
    struct Secret {
        word: String,
    }

    #[get("/secret")]
    #[rate_limit("9/minute")]
    async fn private(secret: web::Query<Secret>) -> web::Json<Secret> {
        web::Json(secret.into_inner())
    }

    #[rate_limit("9/minute")]
    pub(super) async fn visible(secret: web::Query<Secret>) -> impl Responder {
        secret.into_inner().word
    }

    pub(super) fn routes(config: &mut web::ServiceConfig) {
        config
            .service(private)
            .route("/visible", web::get().to(visible));
    }
}

/// A raw identifier as the name.
#[post("/raw")]
#[rate_limit("9/minute")]
async fn r#match(r#type: String) -> String {
    r#type
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/pages/{owner}/{id}", web::get().to(destructured))
        .route("/mutable", web::post().to(mutable))
        .route("/ignored/{path}", web::post().to(ignored))
        .route("/names/{a}", web::post().to(same_names))
        .route("/busy", web::post().to(busy))
        .service(r#match)
        .configure(inner::routes);
}

#[actix_web::test]
async fn patterns_bind_as_they_do_without_a_limit() {
    let service = TestApp::new().await.service(routes).await;
    for (request, body) in [
        (
            get("/pages/ann/7?number=3&size=20").set_json(("bob", [1, 2, 3])),
            "ann 7 60 bob 1",
        ),
        (post("/mutable").set_payload("hey"), "hey!"),
        (post("/ignored/x").set_payload("body"), "ignored"),
        (post("/names/x").set_payload("body"), "POST x body limiter"),
        (post("/busy").set_json([1, 2, 3]), "8"),
        (post("/busy").set_json([2]), "none"),
        (post("/raw").set_payload("raw"), "raw"),
        (get("/visible?word=abc"), "abc"),
        (get("/secret?word=abc"), r#"{"word":"abc"}"#),
    ] {
        let answer = service.send(request).await;
        assert_eq!((answer.status, answer.text()), (200, body));
        assert!(answer.remaining().is_some_and(|remaining| remaining >= 7));
    }
}

#[actix_web::test]
async fn pattern_that_does_not_fit_the_request_answers_as_ever() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/pages/ann/seven?number=3&size=20").await;
    assert_eq!((answer.status, answer.remaining()), (404, Some(8)));
    let answer = service.get("/pages/ann/7?number=3").await;
    assert_eq!((answer.status, answer.remaining()), (400, Some(7)));
}
