//! The service that the browser visits.

use actix_throttle::{Access, Limit, RateLimiter, StatusPage, rate_limit};
use actix_web::{
    get,
    web::{self, ServiceConfig},
};
use harness::http::{app::TestApp, live::Live};

pub const LOGIN: Limit = Limit::per_minute(5).name("login");
pub const SEARCH: Limit = Limit::per_minute(600).name("search");

pub struct Service {
    pub app: TestApp,
    pub live: Live,
}

#[get("/hello")]
#[rate_limit("2/minute", identifier = global)]
async fn hello() -> &'static str {
    "hello"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service(hello)
        .service(web::scope("/admin/limits").service(StatusPage::new(|_| Access::Full)))
        .service(web::scope("/read").service(StatusPage::new(|_| Access::ReadOnly)));
}

impl Service {
    pub async fn start() -> Self {
        let app = TestApp::new().await;
        let live = Live::start(&app.limiter, 1, routes);
        Self { app, live }
    }

    pub fn page(&self) -> String {
        format!("http://{}/admin/limits", self.live.address)
    }

    /// Lets an identity try this often.
    pub async fn tries(&self, limit: &Limit, identity: &str, times: u32) {
        let identity = match identity.parse::<std::net::IpAddr>() {
            Ok(address) => address.into(),
            Err(_) => actix_throttle::Identity::new(identity),
        };
        for _ in 0..times {
            let decision = self.app.limiter.check(limit, &identity).await;
            decision.expect("the in-memory store decides");
        }
    }

    /// Half an hour of traffic, in which somebody tries too often.
    pub async fn traffic(&self) {
        for minute in 0..30_u32 {
            for client in 0..4 {
                let address = format!("192.0.2.{}", client + 1);
                self.tries(&SEARCH, &address, 20 + (minute * 7 + client * 5) % 23)
                    .await;
            }
            self.tries(&LOGIN, "203.0.113.66", 4 + (minute % 9) * 3)
                .await;
            self.tries(&LOGIN, "192.0.2.1", 2).await;
            self.app.after_seconds(60);
        }
        self.tries(&SEARCH, "192.0.2.9", 40).await;
        self.tries(&LOGIN, "203.0.113.66", 25).await;
        self.app.after_seconds(3);
    }
}

/// Returns how much an identity has left of a limit.
pub async fn remaining(limiter: &RateLimiter, limit: &Limit, identity: &str) -> u32 {
    limiter
        .remaining(limit, identity)
        .await
        .expect("the in-memory store")
}
