//! `RateLimited` in an OpenAPI document says what denied requests really get.

use std::collections::BTreeSet;

use actix_throttle::{
    HeaderStyle, RateLimited, RateLimiter,
    openapi::{Both, Closed, GitHub, Ietf, Off, XRateLimit},
    rate_limit,
};
use actix_web::{
    App, Responder, get,
    test::{TestRequest, call_service, init_service, read_body_json},
};
use serde_json::Value;
use utoipa::OpenApi;

/// The document as it was read by a person. `THROTTLE_SNAPSHOT=write` writes it anew.
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rate_limited.json");

macro_rules! documented {
    ($($name:ident: $denials:ty,)+) => {
        $(
            #[utoipa::path(responses((status = 200, body = String), $denials))]
            #[get("/")]
            #[rate_limit("1/minute")]
            async fn $name() -> impl Responder {
                "ok"
            }
        )+
    };
}

mod default_style {
    use super::*;

    documented!(handler: RateLimited,);

    #[derive(OpenApi)]
    #[openapi(paths(handler))]
    pub(crate) struct Document;
}

macro_rules! styles {
    ($($style:ident, $module:ident;)+) => {$(
        mod $module {
            use super::*;

            documented!(handler: RateLimited<$style>,);

            #[derive(OpenApi)]
            #[openapi(paths(handler))]
            pub(crate) struct Document;

            #[actix_web::test]
            async fn headers_and_problem_are_those_of_a_denial() {
                let limiter = RateLimiter::builder().memory().headers(HeaderStyle::$style);
                let limiter = limiter.build().await.unwrap();
                let app = App::new().app_data(limiter).service(handler);
                let app = init_service(app).await;
                let peer = "192.0.2.1:80".parse().unwrap();
                let ask = || TestRequest::get().uri("/").peer_addr(peer).to_request();
                assert_eq!(call_service(&app, ask()).await.status(), 200);
                let denied = call_service(&app, ask()).await;
                assert_eq!(denied.status(), 429);

                let documented = responses(&Document::openapi())["429"].clone();
                let names = |map: &Value| -> BTreeSet<String> {
                    let map = map.as_object();
                    map.into_iter().flatten().map(|(name, _)| name.to_lowercase()).collect()
                };
                let sent: BTreeSet<String> = denied
                    .headers()
                    .keys()
                    .map(|name| name.as_str().to_owned())
                    .filter(|name| name.contains("ratelimit") || name == "retry-after")
                    .collect();
                assert_eq!(names(&documented["headers"]), sent);
                for (name, header) in documented["headers"].as_object().unwrap() {
                    let value = denied.headers().get(name).unwrap().to_str().unwrap();
                    let is_number = header["schema"]["type"] == "integer";
                    assert_eq!(value.parse::<u64>().is_ok(), is_number, "{name}: {value}");
                }

                let kind = denied.headers().get("content-type").unwrap().to_str().unwrap();
                let content = &documented["content"][kind]["schema"];
                let problem: Value = read_body_json(denied).await;
                assert_eq!(names(&content["properties"]), names(&problem));
                for (name, property) in content["properties"].as_object().unwrap() {
                    let value = &problem[name];
                    let is_type = match property["type"].as_str().unwrap() {
                        "string" => value.is_string(),
                        "integer" => value.is_u64(),
                        "array" => value.is_array(),
                        other => panic!("{other}"),
                    };
                    assert!(is_type, "{name}: {value}");
                    if let Some(values) = property["enum"].as_array() {
                        assert!(values.contains(value), "{name}: {value}");
                    }
                }
            }
        }
    )+};
}

styles! {
    XRateLimit, x_rate_limit;
    Ietf, ietf;
    Both, both;
    GitHub, github;
    Off, off;
}

mod closed {
    use super::*;

    documented!(handler: RateLimited<Ietf, Closed>,);

    #[derive(OpenApi)]
    #[openapi(paths(handler))]
    pub(crate) struct Document;
}

fn responses(document: &utoipa::openapi::OpenApi) -> Value {
    serde_json::to_value(document).unwrap()["paths"]["/"]["get"]["responses"].clone()
}

#[test]
fn default_style_is_that_of_the_builder() {
    let default = responses(&default_style::Document::openapi());
    assert_eq!(default, responses(&x_rate_limit::Document::openapi()));
    assert_eq!(HeaderStyle::default(), HeaderStyle::XRateLimit);
    assert_eq!(default.get("503"), None);
}

#[test]
fn document_is_the_one_that_was_read() {
    let document = responses(&closed::Document::openapi());
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    if std::env::var_os("THROTTLE_SNAPSHOT").is_some_and(|what| what == "write") {
        std::fs::write(SNAPSHOT, &text).unwrap();
    }
    let read = std::fs::read_to_string(SNAPSHOT).unwrap();
    assert_eq!(
        text, read,
        "if it is right, write it by THROTTLE_SNAPSHOT=write"
    );
}
