//! Refunds by the status of the response.

mod counts;
mod leaving;
mod outage;
mod slow;
mod stacked;

use actix_throttle::{
    __private::{HandlerRules, Limited, respond, run_limited},
    RateLimiter, Rule, StatusSet,
};
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, ServiceConfig},
};

use harness::{
    ServerVersion,
    http::app::{TestResponse, TestService},
    stores::{StoreFixture, StoreKind},
};

/// Declares a handler function for each route, with these rules.
macro_rules! limited {
    ($($name:ident: $($rule:expr),+;)+) => { $(
        pub(super) async fn $name(gate: Limited<(web::Query<Asked>,)>) -> HttpResponse {
            static RULES: HandlerRules = HandlerRules::new(|| vec![$($rule),+]);
            run_limited(gate, &RULES, |(asked,): (web::Query<Asked>,)| answer(asked), respond).await
        }
    )+ };
}
use limited;

/// The status that a request asks for.
#[derive(serde::Deserialize)]
struct Asked {
    status: u16,
}

async fn answer(asked: web::Query<Asked>) -> HttpResponse {
    HttpResponse::new(StatusCode::from_u16(asked.status).expect("a status"))
}

fn on(statuses: &str) -> StatusSet {
    statuses.parse().expect("statuses")
}

const STORES: [StoreKind; 5] = [
    StoreKind::Memory,
    StoreKind::Server(ServerVersion::Redis62),
    StoreKind::Server(ServerVersion::Redis7),
    StoreKind::Server(ServerVersion::Valkey9),
    StoreKind::Cluster,
];

/// Runs a test with an application on each store.
async fn for_every_store(
    routes: impl Fn(&mut ServiceConfig),
    test: impl AsyncFn(&TestService, &StoreFixture),
) {
    for target in STORES {
        let store = StoreFixture::new(target).await;
        let service = service(&store.limiter, &routes).await;
        test(&service, &store).await;
    }
}

async fn service(limiter: &RateLimiter, routes: impl Fn(&mut ServiceConfig)) -> TestService {
    TestService::new(|config| {
        config.app_data(limiter.clone());
        routes(config);
    })
    .await
}

trait Flaky {
    /// Sends a request to the route and has it respond with this status.
    async fn answering(&self, route: &str, status: u16) -> TestResponse;

    /// Sends a request like [`Flaky::answering`] and returns the quota that then remains.
    async fn remaining(&self, route: &str, status: u16) -> Option<u64>;
}

impl Flaky for TestService {
    async fn answering(&self, route: &str, status: u16) -> TestResponse {
        self.get(&format!("/{route}?status={status}")).await
    }

    async fn remaining(&self, route: &str, status: u16) -> Option<u64> {
        let answer = self.answering(route, status).await;
        assert_eq!(answer.status, status, "{answer:?}");
        answer.remaining()
    }
}

/// A rule that refunds responses with these statuses.
fn rule(limit: actix_throttle::Limit, statuses: &str) -> Rule {
    Rule::new(limit).refund_on(on(statuses))
}
