//! Requests to handlers that read, decide, settle or wait, on every store. `http` has the cases
//! that the in-memory store alone can show as well.

mod decided_by_handlers;
mod identified_by_pairs;
mod networks;
mod settled_by_handlers;
mod slowed_down;

use actix_throttle::{Identity, Limit, Throttle};
use actix_web::web::ServiceConfig;

use harness::{
    http::app::{CLIENT, TestApp, TestService},
    stores::StoreFixture,
};

/// An application on this store.
async fn service(store: &StoreFixture, routes: impl FnOnce(&mut ServiceConfig)) -> TestService {
    app(store).service(routes).await
}

/// An application on this store, wrapped in a middleware.
async fn behind(
    store: &StoreFixture,
    throttle: Throttle,
    routes: impl FnOnce(&mut ServiceConfig),
) -> TestService {
    app(store).behind(throttle, routes).await
}

fn app(store: &StoreFixture) -> TestApp {
    TestApp {
        limiter: store.limiter.clone(),
        clock: store.clock.clone(),
    }
}

/// Returns what the client of `harness::http::app::get` has left of a limit.
async fn left(store: &StoreFixture, limit: &Limit) -> u32 {
    let remaining = store.limiter.remaining(limit, client()).await;
    remaining.unwrap()
}

fn client() -> Identity {
    Identity::ip(CLIENT.parse().unwrap())
}
