//! The `PendingCharge` of a handler: from the middleware, in a unit test, and where nothing can be
//! settled.

use actix_throttle::{
    Algorithm, Identity, Limit, Limited, Paths, PendingCharge, Rule, Throttle, rate_limit,
};
use actix_web::{
    HttpRequest, rt,
    web::{self, ServiceConfig},
};

use super::routes;
use harness::http::app::{TestApp, in_own_process};

#[actix_web::test]
async fn middleware_offers_its_charge_to_the_handler() {
    let app = TestApp::new().await;
    let limit = Limit::per_minute(50)
        .cost(5)
        .algorithm(Algorithm::FixedWindow);
    let paths = Paths::regex("^/(bare|one)").expect("a regex");
    let throttle = Throttle::new().paths(paths, [Rule::new(limit).settle()]);
    let service = app.behind(throttle.expect("rules"), routes).await;
    let answer = service.get("/bare/20").await;
    assert_eq!((answer.text(), answer.remaining()), ("5 true", Some(30)));
    // The attribute's charge and the middleware's are settled together.
    assert_eq!(service.get("/one").await.remaining(), Some(23));
}

#[actix_web::test]
async fn middleware_refuses_a_leased_estimate() {
    let rule = || Rule::new(Limit::per_minute(50).name("leased").lease(5)).settle();
    let error = Throttle::new().paths(Paths::all(), [rule()]).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("`settle` corrects the charge of each request"),
        "{said}"
    );
    assert!(said.contains("the limit `leased`"), "{said}");
}

/// The limit is known when a request comes, and cannot be settled then.
#[actix_web::test]
async fn estimate_of_a_leased_limit_is_not_settled() {
    fn by_path(request: &HttpRequest, _: &Identity) -> Option<Limit> {
        match request.query_string() {
            "leased" => Some(Limit::per_minute(100).lease(5)),
            _ => None,
        }
    }
    #[rate_limit("9/minute", dynamic = by_path, settle)]
    async fn chosen(charge: PendingCharge) -> String {
        format!("{} {}", charge.estimate(), charge.settle(3).await)
    }

    let routes = |config: &mut ServiceConfig| {
        config.route("/chosen", web::get().to(chosen));
    };
    let service = TestApp::new().await.service(routes).await;
    for (path, text) in [("/chosen?leased", "0 false"), ("/chosen", "1 true")] {
        assert_eq!(service.get(path).await.text(), text, "{path}");
    }
}

#[actix_web::test]
async fn handler_is_tested_without_its_limits() {
    #[rate_limit("100/minute", cost = 10, settle)]
    async fn limited(charge: PendingCharge) -> String {
        charge.settle(3).await.to_string()
    }

    let response = limited(Limited::bypass((PendingCharge::default(),))).await;
    assert_eq!(response.status(), 200);
}

#[test]
fn charge_that_nothing_can_settle_is_reported() {
    #[rate_limit("100/minute", cost = 10)]
    async fn forgotten(charge: PendingCharge) -> String {
        format!("{} {}", charge.estimate(), charge.settle(3).await)
    }

    let test = "settle::extractor::charge_that_nothing_can_settle_is_reported";
    let Some(log) = in_own_process(test) else {
        env_logger::init();
        rt::System::new().block_on(async {
            let routes = |config: &mut ServiceConfig| {
                config.route("/forgotten", web::get().to(forgotten));
            };
            let service = TestApp::new().await.service(routes).await;
            for _ in 0..2 {
                assert_eq!(service.get("/forgotten").await.text(), "0 false");
            }
        });
        return;
    };
    let said = "the handler of /forgotten takes a `PendingCharge`, and none of its limits has";
    assert_eq!(log.matches(said).count(), 1, "{log}");
}
