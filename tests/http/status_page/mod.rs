//! The status page as HTTP: who may see what, headers, forms, JSON, hostile texts. `tests/browser`
//! has it in a real browser.

mod access;
mod browser_leaves;
mod changes;
mod configuration;
mod enforcement;
mod hostile_texts;
mod json;
mod look_up;
mod methods;
mod mounted;
mod policy_reset;
mod redis;
mod redis_keys;
mod store;
mod views;

use actix_throttle::{Access, Identity, Limit, RateLimiter, StatusPage};
use actix_web::{
    HttpRequest,
    test::TestRequest,
    web::{self, ServiceConfig},
};
use harness::http::app::{TestApp, TestResponse, TestService, get, post};

const LOGIN: Limit = Limit::per_minute(5).name("login");
const SEARCH: Limit = Limit::per_minute(100).name("search");

fn access(request: &HttpRequest) -> Access {
    let admin = request.headers().get("X-Admin");
    match admin.map(|value| value.as_bytes()) {
        Some(b"full") => Access::Full,
        Some(b"read") => Access::ReadOnly,
        _ => Access::Forbidden,
    }
}

fn routes(config: &mut ServiceConfig) {
    config.service(web::scope("/limits").service(StatusPage::new(access)));
}

/// The page of a limiter, and requests to it.
struct Page {
    app: TestApp,
    service: TestService,
}

impl Page {
    async fn new() -> Self {
        Self::of(TestApp::new().await).await
    }

    async fn of(app: TestApp) -> Self {
        let service = app.service(routes).await;
        Self { app, service }
    }

    fn limiter(&self) -> &RateLimiter {
        &self.app.limiter
    }

    /// Lets an identity try this often.
    async fn tries(&self, limit: &Limit, identity: impl Into<Identity>, times: usize) {
        let identity = identity.into();
        for _ in 0..times {
            let decision = self.limiter().check(limit, &identity).await;
            decision.expect("the in-memory store decides");
        }
    }

    async fn remaining(&self, limit: &Limit, identity: impl Into<Identity>) -> u32 {
        let remaining = self.limiter().remaining(limit, identity).await;
        remaining.expect("the in-memory store decides")
    }

    /// Looks at a view with full access.
    async fn look(&self, query: &str) -> TestResponse {
        self.service.send(looking(query, "full")).await
    }

    async fn look_as(&self, admin: &'static str, query: &str) -> TestResponse {
        self.service.send(looking(query, admin)).await
    }

    /// Sends a form with full access, as a browser sends that of the page.
    async fn send(&self, query: &str, form: &[(&str, &str)]) -> TestResponse {
        let request = sending(query, form).insert_header(("X-Admin", "full"));
        self.service
            .send(request.insert_header(("Sec-Fetch-Site", "same-origin")))
            .await
    }
}

fn looking(query: &str, admin: &'static str) -> TestRequest {
    get(&format!("/limits/{query}")).insert_header(("X-Admin", admin))
}

fn sending(query: &str, form: &[(&str, &str)]) -> TestRequest {
    post(&format!("/limits/{query}"))
        .insert_header(("Host", "limits.example"))
        .set_form(form)
}
