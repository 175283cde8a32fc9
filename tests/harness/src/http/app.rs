//! Test applications that run without a socket, and their requests and responses.

use std::{
    env,
    future::{Future, poll_fn},
    pin::Pin,
    process::Command,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_throttle::{Builder, ManualClock, RateLimiter, Throttle};
use actix_web::{
    App, Error, HttpResponse,
    body::{MessageBody, to_bytes},
    dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, header::HeaderMap},
    rt::task::yield_now,
    test::{self, TestRequest},
    web::{Bytes, ServiceConfig},
};

/// The client address of requests, unless a test says otherwise.
pub const CLIENT: &str = "192.0.2.1";

/// A limiter with an in-memory store, and the clock that drives it.
pub struct TestApp {
    pub limiter: RateLimiter,
    pub clock: ManualClock,
}

impl TestApp {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(settings: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let builder = RateLimiter::builder().memory().clock(clock.clone());
        let limiter = settings(builder).build().await.expect("valid settings");
        Self { limiter, clock }
    }

    /// An application that uses this limiter, wrapped in a middleware.
    pub async fn behind(
        &self,
        throttle: Throttle,
        routes: impl FnOnce(&mut ServiceConfig),
    ) -> TestService {
        let app = App::new().app_data(self.limiter.clone()).configure(routes);
        TestService::of(app.wrap(throttle)).await
    }

    /// An application that uses this limiter.
    pub async fn service(&self, routes: impl FnOnce(&mut ServiceConfig)) -> TestService {
        TestService::new(|config| {
            config.app_data(self.limiter.clone());
            routes(config);
        })
        .await
    }

    pub fn after_seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn after_millis(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }

    pub fn after_micros(&self, micros: u64) {
        self.clock.advance(Duration::from_micros(micros));
    }
}

type ResponseFuture = Pin<Box<dyn Future<Output = TestResponse>>>;

/// An application that is called without a socket.
pub struct TestService(Box<dyn Fn(TestRequest) -> ResponseFuture>);

impl TestService {
    /// An application that consists of these routes alone.
    pub async fn new(routes: impl FnOnce(&mut ServiceConfig)) -> Self {
        Self::of(App::new().configure(routes)).await
    }

    /// Wraps any application.
    pub async fn of<T, B>(app: App<T>) -> Self
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
        let app = Rc::new(test::init_service(app).await);
        Self(Box::new(move |request| {
            let app = Rc::clone(&app);
            Box::pin(async move {
                match app.call(request.to_request()).await {
                    Ok(response) => TestResponse::of(response.into()).await,
                    // Actix's server turns an error into a response this way.
                    Err(error) => TestResponse::of(error.error_response()).await,
                }
            })
        }))
    }

    pub async fn send(&self, request: TestRequest) -> TestResponse {
        (self.0)(request).await
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(get(path)).await
    }

    /// Sends `count` requests one after the other and returns their statuses.
    pub async fn statuses(&self, path: &str, count: usize) -> Vec<u16> {
        let mut statuses = Vec::with_capacity(count);
        for _ in 0..count {
            statuses.push(self.get(path).await.status);
        }
        statuses
    }
}

/// A `GET` request from [`CLIENT`].
pub fn get(path: &str) -> TestRequest {
    get_from(CLIENT, path)
}

/// A `GET` request from a client address.
pub fn get_from(address: &str, path: &str) -> TestRequest {
    let address = address.parse().expect("an address");
    let peer = std::net::SocketAddr::new(address, 40_000);
    TestRequest::get().uri(path).peer_addr(peer)
}

/// A `POST` request from [`CLIENT`].
pub fn post(path: &str) -> TestRequest {
    get(path).method(Method::POST)
}

/// A response with its whole body.
#[derive(Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl TestResponse {
    async fn of(response: HttpResponse<impl MessageBody>) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body()).await;
        Self {
            status,
            headers,
            body: body.unwrap_or_else(|_| panic!("a body")),
        }
    }

    /// The value of a header.
    ///
    /// # Panics
    ///
    /// If the response has the header twice.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name);
        let value = values.next()?.to_str().expect("visible ASCII");
        assert_eq!(values.next(), None, "{name} stands there twice");
        Some(value)
    }

    /// The value of a header as a whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.header(name)
            .map(|text| text.parse().expect("a number"))
    }

    /// The values of `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`.
    ///
    /// # Panics
    ///
    /// If the response has some of them but not all.
    pub fn quota(&self) -> Option<[u64; 3]> {
        let limit = self.number("X-RateLimit-Limit");
        let remaining = self.number("X-RateLimit-Remaining");
        let reset = self.number("X-RateLimit-Reset");
        match (limit, remaining, reset) {
            (Some(limit), Some(remaining), Some(reset)) => Some([limit, remaining, reset]),
            (None, None, None) => None,
            some => panic!("all three or none: {some:?}"),
        }
    }

    /// The value of `X-RateLimit-Remaining`.
    pub fn remaining(&self) -> Option<u64> {
        self.quota().map(|[_, remaining, _]| remaining)
    }

    pub fn retry_after(&self) -> Option<u64> {
        self.number("Retry-After")
    }

    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Reports whether the response mentions no limit in any header.
    pub fn is_unlimited(&self) -> bool {
        let names = [
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
        ];
        names.iter().all(|name| !self.headers.contains_key(*name))
    }
}

/// Polls a request or a call until it waits for the clock or for another event, and reports whether
/// it does.
pub async fn is_waiting(future: &mut (impl Future + Unpin)) -> bool {
    for _ in 0..3 {
        let poll = |context: &mut Context<'_>| {
            let polled = Pin::new(&mut *future).poll(context);
            Poll::Ready(polled.is_ready())
        };
        if poll_fn(poll).await {
            return false;
        }
        yield_now().await;
    }
    true
}

/// Runs a test once more in a process of its own, for tests of process-wide state. Returns what
/// that process wrote to standard error, and `None` inside that process.
pub fn in_own_process(test: &str) -> Option<String> {
    in_own_process_with(test, &[])
}

/// Runs a test like [`in_own_process`], with these environment variables as its input.
pub fn in_own_process_with(test: &str, variables: &[(&str, &str)]) -> Option<String> {
    const MARK: &str = "THROTTLE_TEST_ALONE";
    if env::var_os(MARK).is_some() {
        return None;
    }
    let output = Command::new(env::current_exe().expect("a test binary"))
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1")
        .envs(variables.iter().copied())
        .env("RUST_LOG", "actix_throttle=info")
        .output()
        .expect("itself");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    assert!(stdout.contains("1 passed"), "no test {test}: {stdout}");
    Some(stderr)
}
