//! Attributes that refer to a named limit of the configuration file.

use actix_throttle::{Config, config::Format, rate_limit};
use actix_web::{get, web::ServiceConfig};

use harness::http::app::{TestApp, TestService};

#[get("/login")]
#[rate_limit(limit = "login")]
async fn login() -> &'static str {
    "ok"
}

#[get("/sign-up")]
#[rate_limit(limit = "login")]
async fn sign_up() -> &'static str {
    "ok"
}

#[get("/search")]
#[rate_limit("3/minute", limit = "search")]
async fn search() -> &'static str {
    "ok"
}

#[get("/stacked")]
#[rate_limit("9/hour")]
#[rate_limit(limit = "login", identifier = header("X-Api-Key"))]
async fn stacked() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((login, sign_up, search, stacked));
}

async fn service(text: &str) -> (Config, TestApp, TestService) {
    let config = Config::parse(text, Format::Toml).expect("a right file");
    let test_app = TestApp::with(|builder| builder.config(&config)).await;
    let service = test_app.service(routes).await;
    (config, test_app, service)
}

#[actix_web::test]
async fn handlers_of_one_named_limit_count_apart_without_zone() {
    let (config, _world, service) = service("limits.login = '2/minute'").await;
    assert_eq!(service.statuses("/login", 3).await, [200, 200, 429]);
    assert_eq!(service.statuses("/sign-up", 3).await, [200, 200, 429]);
    let text = "limits.login = { rate = '2/minute', zone = 'accounts' }";
    config.replace(text).expect("right");
    assert_eq!(service.statuses("/login", 1).await, [200]);
    assert_eq!(service.statuses("/sign-up", 2).await, [200, 429]);
}

#[actix_web::test]
async fn the_written_limit_and_the_files_are_one_counter() {
    let (config, _world, service) = service("rules = []").await;
    assert_eq!(service.get("/search").await.quota(), Some([3, 2, 60]));
    config.replace("limits.search = '9/minute'").expect("right");
    assert_eq!(service.get("/search").await.quota(), Some([9, 7, 60]));
}

#[actix_web::test]
async fn a_named_limit_stacks() {
    let (_config, _world, service) = service("limits.login = '1/minute'").await;
    assert_eq!(service.statuses("/stacked", 2).await, [200, 429]);
    // The denied request was not charged to the written limit. The violated policy has the name of
    // the handler's second limit.
    let denied = service.get("/stacked").await;
    assert_eq!(denied.json()["violated-policies"][0], "stacked-2");
}
