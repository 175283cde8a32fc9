//! The page may be mounted with and without a slash, in nested scopes, under middleware that
//! trims slashes, and under a `Throttle` that denies everything.

use actix_throttle::{Access, FailureMode, Limit, Paths, Rule, StatusPage, Throttle};
use actix_web::{
    App, HttpResponse,
    middleware::{NormalizePath, TrailingSlash},
    web::{self, ServiceConfig},
};
use harness::http::app::{TestApp, TestService, get};

fn open(config: &mut ServiceConfig) {
    config
        .service(
            web::scope("/a/b")
                .service(web::scope("/limits").service(StatusPage::new(|_| Access::Full))),
        )
        .route("/other", web::get().to(HttpResponse::Ok));
}

#[actix_web::test]
async fn page_is_there_with_and_without_a_slash() {
    let service = TestApp::new().await.service(open).await;
    for path in [
        "/a/b/limits",
        "/a/b/limits/",
        "/a/b/limits?view=find",
        "/a/b/limits/?view=find",
    ] {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
    assert_eq!(service.get("/a/b/limits/else").await.status, 404);
    let root = TestApp::new().await;
    let service = root.service(|config| {
        config.service(StatusPage::new(|_| Access::Full));
    });
    assert_eq!(service.await.get("/").await.status, 200);
}

#[actix_web::test]
async fn slashes_that_are_trimmed_do_not_matter() {
    let test_app = TestApp::new().await;
    for how in [
        TrailingSlash::Trim,
        TrailingSlash::Always,
        TrailingSlash::MergeOnly,
    ] {
        let app = App::new()
            .app_data(test_app.limiter.clone())
            .configure(open);
        let service = TestService::of(app.wrap(NormalizePath::new(how))).await;
        for path in ["/a/b/limits", "/a/b/limits/"] {
            let answer = service.get(path).await;
            assert_eq!(answer.status, 200, "{path} {how:?}");
        }
    }
}

#[actix_web::test]
async fn page_without_a_limiter_says_so() {
    let service = TestService::new(open).await;
    let answer = service.get("/a/b/limits").await;
    assert_eq!(
        (answer.status, answer.text()),
        (500, "There is no limiter to show.\n")
    );
}

#[actix_web::test]
async fn throttle_counts_the_page_and_never_denies_it() {
    let test_app = TestApp::new().await;
    let limit = Limit::per_hour(2)
        .name("all")
        .block(std::time::Duration::from_secs(60));
    let throttle = Throttle::new()
        .paths(Paths::all(), [Rule::new(limit)])
        .expect("a valid rule");
    let service = test_app.behind(throttle, open).await;
    assert_eq!(service.statuses("/a/b/limits", 5).await, [200; 5]);
    assert_eq!(
        service.get("/other").await.status,
        429,
        "the page was counted"
    );
    assert_eq!(service.get("/a/b/limits/?view=find").await.status, 200);
    assert_eq!(
        service.get("/a/b/limits/else").await.status,
        429,
        "it is no page"
    );
    let snapshot = test_app.limiter.snapshot();
    assert_eq!(snapshot.policies[0].admitted.total, 2);
}

#[actix_web::test]
async fn denied_network_does_not_reach_the_page() {
    let test_app =
        TestApp::with(|builder| builder.deny(["192.0.2.0/24"]).expect("a network")).await;
    let rule = Rule::new(Limit::per_hour(2)).failure_mode(FailureMode::Closed);
    let throttle = Throttle::new()
        .paths(Paths::all(), [rule])
        .expect("a valid rule");
    let service = test_app.behind(throttle, open).await;
    assert_eq!(service.send(get("/a/b/limits")).await.status, 403);
}
