//! The middleware for `reqwest-middleware`.

use async_trait::async_trait;
use reqwest::Url;
use reqwest_middleware::{Error, Middleware, Next};

use super::{Outgoing, Request, Response};
use crate::engine::error::RateLimitError;

/// Each request waits until it may be made.
///
/// Redirects that the client follows by itself are part of the request that led there, and are not
/// charged. An error without a response is returned as the client gave it.
///
/// ```no_run
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{
///     Limit, Outgoing, RateLimitError, RateLimiter, reqwest,
///     reqwest_middleware::{ClientBuilder, Error},
/// };
///
/// const TOWNS: Limit = Limit::per_second(5).name("towns");
///
/// let limiter = RateLimiter::builder().redis_url("redis://127.0.0.1:6379").build().await?;
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(Outgoing::new(&limiter).limit(TOWNS))
///     .build();
/// match client.get("http://towns.example/list").send().await {
///     Ok(answer) => println!("{}", answer.status()),
///     Err(Error::Middleware(error)) => match error.downcast_ref::<RateLimitError>() {
///         Some(RateLimitError::TimedOut { retry_after }) => {
///             println!("not within {retry_after:?}");
///         }
///         _ => println!("{error}"),
///     },
///     Err(error) => println!("{error}"),
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`Error::Middleware`] with a [`RateLimitError`] in it, as for [`Outgoing::acquire`].
#[async_trait]
impl Middleware for Outgoing {
    async fn handle(
        &self,
        request: ::reqwest::Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<::reqwest::Response> {
        let url = request.url().clone();
        let permit = self.acquire(&call(request.method().as_str(), &url)).await;
        let permit = permit.map_err(Error::middleware)?;
        let result = next.run(request, extensions).await;
        match &result {
            Ok(response) => permit.completed(outgoing_response(response)).await,
            Err(error) if is_not_sent(error) => permit.not_sent().await,
            Err(_) => {}
        }
        result
    }
}

fn call<'a>(method: &'a str, url: &'a Url) -> Request<'a> {
    let host = url.host_str().unwrap_or_default();
    Request::to(method, url.scheme(), host, url.port(), url.path())
}

fn outgoing_response(response: &::reqwest::Response) -> Response<'_> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    Response::with_headers(response.status().as_u16(), header)
}

/// Whether no part of the request can have reached the upstream service.
fn is_not_sent(error: &Error) -> bool {
    match error {
        Error::Reqwest(error) => error.is_connect() || error.is_builder(),
        // An `Outgoing` further in has not admitted the request.
        Error::Middleware(error) => error.is::<RateLimitError>(),
    }
}
