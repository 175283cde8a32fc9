//! Measures what the middleware costs a request that matches no entry, and a request that the last
//! entry exempts; and what the attribute costs. The benchmark calls a whole application without a
//! socket.
//!
//! Run it with `benches/run --micro`. The bare application is the case without a middleware.

use std::{
    future::Future,
    net::SocketAddr,
    task::{Context, Poll, Waker},
};

use actix_throttle::{Limit, RateLimiter, Rule, Throttle, rate_limit};
use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse},
    rt::System,
    test::{TestRequest, init_service},
    web,
};
use divan::{Bencher, black_box};

const ENTRIES: [usize; 7] = [0, 1, 2, 4, 8, 16, 100];

fn main() {
    divan::main();
}

#[divan::bench]
fn bare(bencher: Bencher<'_, '_>) {
    run(bencher, app(), "/users/7/orders");
}

#[divan::bench(args = ENTRIES)]
fn none_fits(bencher: Bencher<'_, '_>, entries: usize) {
    run(bencher, app().wrap(entries_for(entries)), "/users/7/orders");
}

/// The last entry matches and exempts the request, so no store decides.
#[divan::bench(args = &ENTRIES[1..])]
fn last_fits(bencher: Bencher<'_, '_>, entries: usize) {
    let path = format!("/api/v1/part-{}/items/7", entries - 1);
    run(bencher, app().wrap(entries_for(entries)), &path);
}

/// The last entry matches, and the in-memory store decides.
#[divan::bench(args = [1, 100])]
fn last_decides(bencher: Bencher<'_, '_>, entries: usize) {
    let limiter = System::new().block_on(RateLimiter::builder().memory().build());
    let throttle =
        entries_for(entries - 1).paths("^/users", [Rule::new(Limit::per_second(1_000_000))]);
    let (Ok(limiter), Ok(throttle)) = (limiter, throttle) else {
        return;
    };
    run(
        bencher,
        app().wrap(throttle.limiter(limiter)),
        "/users/7/orders",
    );
}

/// The attribute with the in-memory store and one key. All requests are admitted.
#[rate_limit(times = 1_000_000_000, seconds = 86400, algorithm = "token_bucket")]
async fn limited() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[divan::bench]
fn attribute(bencher: Bencher<'_, '_>) {
    let limiter = System::new().block_on(RateLimiter::builder().memory().build());
    let Ok(limiter) = limiter else { return };
    let app = app().app_data(limiter);
    run(
        bencher,
        app.route("/limited/{id}/orders", web::get().to(limited)),
        "/limited/7/orders",
    );
}

#[divan::bench]
fn exempt_route(bencher: Bencher<'_, '_>) {
    let throttle = entries_for(1).exempt("/users/{id}/orders");
    run(bencher, app().wrap(throttle), "/users/7/orders");
}

fn entries_for(count: usize) -> Throttle {
    (0..count).fold(Throttle::new(), |throttle, number| {
        let regex = format!(r"^/api/v1/part-{number}/items/\d+$");
        throttle.clone().exempt_paths(regex).unwrap_or(throttle)
    })
}

fn app() -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .route("/users/{id}/orders", web::get().to(HttpResponse::Ok))
        .default_service(web::to(HttpResponse::Ok))
}

fn run<T, B>(bencher: Bencher<'_, '_>, app: App<T>, path: &str)
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    T::Future: 'static,
    B: MessageBody + 'static,
{
    let system = System::new();
    let app = system.block_on(init_service(app));
    let peer = SocketAddr::from(([10, 0, 0, 1], 50_000));
    bencher
        .with_inputs(|| TestRequest::get().uri(path).peer_addr(peer).to_request())
        .bench_local_values(|request| {
            let mut answer = Box::pin(app.call(request));
            // Nothing here waits.
            match answer
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(answer) => black_box(answer).ok(),
                Poll::Pending => None,
            }
        });
}
