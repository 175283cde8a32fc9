//! `crate = ...`: this crate has no dependency of the name that macro output takes by default.
#![deny(warnings)]

use std::sync::Mutex;

use actix_web::{
    get,
    http::StatusCode,
    test::{call_service, init_service, TestRequest},
    web, App,
};
use company::company_handler;
use throttle::{concurrency_limit, rate_limit, RateLimiter};

#[get("/renamed")]
#[rate_limit("2/minute", crate = throttle)]
#[rate_limit("9/hour", crate = ::throttle)]
#[concurrency_limit(max = 9, crate = throttle)]
async fn renamed() -> &'static str {
    "renamed"
}

/// A handler with one `crate` path for all its attributes. The path must also hold after the macro
/// has put the attributes in order.
#[company::actix_throttle::rate_limit("2/minute")]
#[get("/re-exported")]
#[company::actix_throttle::rate_limit(unlimited, group = "a", crate = company::actix_throttle)]
async fn re_exported() -> &'static str {
    "re-exported"
}

#[concurrency_limit(max = 9, crate = throttle)]
#[rate_limit("2/minute")]
async fn conditional(#[cfg(any())] _: String, #[cfg(not(any()))] _: web::Bytes) -> &'static str {
    "conditional"
}

/// A handler whose last expression borrows from an argument. The borrow must end before the
/// argument is dropped.
#[rate_limit("2/minute", crate = throttle)]
async fn locked(text: web::Data<Mutex<String>>, _unused: web::Bytes) -> String {
    text.lock().expect("no panic").to_string()
}

company_handler!(generated, { "generated" });

#[actix_web::test]
async fn crate_by_another_name_limits() -> Result<(), Box<dyn std::error::Error>> {
    let limiter = RateLimiter::builder().memory().build().await?;
    let app = App::new()
        .app_data(limiter)
        .app_data(web::Data::new(Mutex::new("locked".to_owned())))
        .service((renamed, re_exported))
        .route("/conditional", web::get().to(conditional))
        .route("/locked", web::get().to(locked))
        .route("/generated", web::get().to(generated));
    let app = init_service(app).await;
    for path in [
        "/renamed",
        "/re-exported",
        "/conditional",
        "/locked",
        "/generated",
    ] {
        for status in [200, 200, 429] {
            let request = TestRequest::get().uri(path);
            let request = request.peer_addr("192.0.2.1:1".parse()?).to_request();
            let answer = call_service(&app, request).await;
            assert_eq!(answer.status(), StatusCode::from_u16(status)?, "{path}");
        }
    }
    Ok(())
}
