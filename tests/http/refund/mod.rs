//! What responses with certain statuses give back.

mod counts;
mod leaving;
mod outage;
mod slow;
mod stacked;

use actix_throttle::{
    __private::{Limited, Policy, respond, serve},
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

/// The rules of one route, each route a function of its own.
macro_rules! limited {
    ($($name:ident: $($rule:expr),+;)+) => { $(
        pub(super) async fn $name(gate: Limited<(web::Query<Asked>,)>) -> HttpResponse {
            static POLICY: Policy = Policy::new(|| vec![$($rule),+]);
            serve(gate, &POLICY, |(asked,): (web::Query<Asked>,)| answer(asked), respond).await
        }
    )+ };
}
use limited;

/// What a request wants to be answered.
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

/// A site on each store, and what it stands on.
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
    /// Has the route of this name answer with a status.
    async fn answering(&self, route: &str, status: u16) -> TestResponse;

    /// The same, and what then remains.
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

/// `Rule::new(limit).refund_on(…)`.
fn rule(limit: actix_throttle::Limit, statuses: &str) -> Rule {
    Rule::new(limit).refund_on(on(statuses))
}
