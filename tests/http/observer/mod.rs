//! Observers hear one event for each limit that has a part in a decision, whichever way the request
//! takes, and what happens besides.

mod decisions;
mod failures;
mod several;
mod waiting;

use std::sync::{Arc, Mutex};

use actix_throttle::{
    Event, Limit, Observer, RateLimiter, RequestError, concurrency_limit, rate_limit,
};
use actix_web::{HttpRequest, HttpResponse, get, web::ServiceConfig};

use harness::http::app::TestApp;

/// Everything that was heard, a line an event.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        let line = match event {
            Event::Decided(decided) => {
                let (result, source) = (decided.result().as_str(), decided.source().as_str());
                let remaining = decided
                    .remaining()
                    .map_or("-".into(), |left| left.to_string());
                format!(
                    "{} {result} by {source}: {remaining} left",
                    decided.policy()
                )
            }
            Event::Refunded { policy, cost, .. } => format!("{policy} refunded {cost}"),
            Event::StoreFailed { .. } => "store failed".to_owned(),
            Event::CircuitChanged { state, .. } => format!("circuit {state:?}"),
            Event::Reloaded { result, error, .. } => {
                format!("reload {} {}", result.as_str(), error.is_some())
            }
            Event::WaitBegan { policy, .. } => format!("{policy} wait began"),
            Event::WaitEnded {
                policy, end, time, ..
            } => format!("{policy} wait {} after {time:?}", end.as_str()),
            Event::PermitHeld { policy, .. } => format!("{policy} held"),
            Event::PermitReleased { policy, time, .. } => {
                format!("{policy} released after {time:?}")
            }
            Event::Changed { policy, change, .. } => format!("{policy} changed: {change:?}"),
            // The size of the store is told from time to time, whatever a test does.
            Event::StoreSized { .. } => return,
            other => format!("{other:?}"),
        };
        self.0.lock().expect("no panic").push(line);
    }
}

impl Heard {
    /// Takes what was heard since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

async fn observed() -> (TestApp, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let observer = Arc::clone(&heard);
    (
        TestApp::with(|builder| builder.observer(observer)).await,
        heard,
    )
}

#[get("/one")]
#[rate_limit("1/minute", name = "one")]
async fn one() -> &'static str {
    "ok"
}

#[get("/two")]
#[rate_limit("9/hour", name = "hour", cost = 2)]
#[rate_limit("1/minute", name = "minute")]
#[rate_limit("1/minute", name = "tried", zone = "tried", shadow)]
async fn two() -> &'static str {
    "ok"
}

#[get("/shadow")]
#[rate_limit("1/minute", name = "shadow", shadow)]
async fn shadow() -> &'static str {
    "ok"
}

#[get("/blocked")]
#[rate_limit("1/minute", name = "blocked", block = "1h")]
async fn blocked() -> &'static str {
    "ok"
}

const INSIDE: Limit = Limit::per_minute(1).name("inside");

#[get("/inside")]
async fn inside(request: HttpRequest, limiter: RateLimiter) -> Result<&'static str, RequestError> {
    limiter.enforce(&request, &INSIDE, "ann").await?;
    Ok("ok")
}

#[get("/refunded")]
#[rate_limit("3/minute", name = "refunded", refund_on = "4xx", cost = 2)]
async fn refunded() -> HttpResponse {
    HttpResponse::NotFound().finish()
}

#[get("/running")]
#[concurrency_limit(max = 1, name = "running")]
async fn running() -> &'static str {
    "ok"
}

#[get("/key")]
#[rate_limit("3/minute", name = "key", identifier = header("X-Api-Key"))]
async fn key() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((one, two, shadow, blocked, inside, refunded, running, key));
}
