//! Arguments and attributes behind `cfg`, which exist only under a condition.

use actix_throttle::{concurrency_limit, rate_limit};
use actix_web::{
    get, post as posted,
    web::{self, ServiceConfig},
};

use harness::http::app::{TestApp, get, post};

#[get("/first/{id}")]
#[rate_limit("2/minute")]
async fn first(#[cfg(any())] gone: web::Query<u32>, id: web::Path<u32>) -> String {
    #[cfg(any())]
    drop(gone);
    id.to_string()
}

/// Two arguments have the same name; the condition keeps one of them.
#[posted("/several/{id}")]
#[rate_limit("2/minute")]
async fn several(
    #[cfg(not(any()))] id: web::Path<u32>,
    #[cfg(any())] id: String,
    #[cfg_attr(not(any()), cfg(any()))] gone: web::Query<u32>,
    #[cfg_attr(any(), cfg(any()))]
    #[allow(unused_mut)]
    mut body: String,
    #[cfg_attr(not(any()), allow(unused_variables), cfg(not(any())))] unused: web::Bytes,
) -> String {
    format!("{id} {body}")
}

#[rate_limit("2/minute")]
#[get("/below/{id}")]
#[rate_limit("9/hour")]
async fn below(#[cfg(any())] gone: web::Query<u32>, id: web::Path<u32>) -> String {
    id.to_string()
}

#[get("/attributes")]
#[rate_limit("9/second")]
#[cfg_attr(any(), rate_limit("1/hour"))]
#[cfg_attr(
    not(any()),
    rate_limit("2/minute"),
    allow(unused),
    concurrency_limit(max = 9)
)]
#[rate_limit("9/hour")]
async fn attributes(#[cfg(any())] gone: web::Query<u32>) -> &'static str {
    "attributes"
}

fn routes(config: &mut ServiceConfig) {
    config.service((first, several, below, attributes));
}

#[actix_web::test]
async fn arguments_that_are_not_there_are_not_extracted() {
    let service = TestApp::new().await.service(routes).await;
    for _ in 0..2 {
        assert_eq!(service.get("/first/7").await.text(), "7");
        let answer = service.send(post("/several/7").set_payload("body")).await;
        assert_eq!(answer.text(), "7 body");
        assert_eq!(service.get("/below/7").await.text(), "7");
    }
    assert_eq!(service.get("/first/7").await.status, 429);
    assert_eq!(service.send(post("/several/7")).await.status, 429);
    assert_eq!(service.get("/below/7").await.status, 429);
}

#[actix_web::test]
async fn attributes_that_are_there_are_one_decision() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.send(get("/attributes")).await;
    assert_eq!(answer.quota(), Some([2, 1, 60]));
    assert_eq!(service.statuses("/attributes", 3).await, [200, 429, 429]);
}
