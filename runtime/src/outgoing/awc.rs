//! The helper for the client `awc`.

use std::fmt;

use awc::{
    ClientRequest, ClientResponse,
    error::{ConnectError, SendRequestError},
};

use super::{Outgoing, Request, Response};
use crate::engine::error::RateLimitError;

impl Outgoing {
    /// Waits until this request of awc may be made, and sends it by the function.
    ///
    /// Redirects that the client follows by itself are part of the request that led there, and are
    /// not charged.
    ///
    /// ```no_run
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, Outgoing, RateLimiter};
    ///
    /// const TOWNS: Limit = Limit::per_second(5).name("towns");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let outgoing = Outgoing::new(&limiter).limit(TOWNS);
    /// let client = awc::Client::default();
    ///
    /// let request = client.post("http://towns.example/find");
    /// let answer = outgoing.send(request, |request| request.send_body("Ulm")).await?;
    /// println!("{}", answer.status());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError::Limited`] as for [`acquire`](Self::acquire), and nothing is sent;
    /// [`CallError::Send`] with the error of awc.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped once the request is sent, the charge stays.
    pub async fn send<F, S>(
        &self,
        request: ClientRequest,
        send: impl FnOnce(ClientRequest) -> F,
    ) -> Result<ClientResponse<S>, CallError>
    where
        F: Future<Output = Result<ClientResponse<S>, SendRequestError>>,
    {
        let permit = self.acquire(&call(&request)).await?;
        match send(request).await {
            Ok(response) => {
                permit.completed(outgoing_response(&response)).await;
                Ok(response)
            }
            Err(error) => {
                if is_not_sent(&error) {
                    permit.not_sent().await;
                }
                Err(CallError::Send(error))
            }
        }
    }
}

/// The reason why a call of [`Outgoing::send`] has no response.
#[non_exhaustive]
pub enum CallError {
    /// There was no room in time, or no decision. The call was not sent.
    Limited(RateLimitError),
    /// The call failed.
    Send(SendRequestError),
}

actix_throttle_core::debug_is_message!(CallError);

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limited(error) => write!(f, "the call was not made: {error}"),
            Self::Send(error) => write!(f, "the call failed: {error}"),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Limited(error) => Some(error),
            Self::Send(error) => Some(error),
        }
    }
}

impl From<RateLimitError> for CallError {
    fn from(error: RateLimitError) -> Self {
        Self::Limited(error)
    }
}

fn call(request: &ClientRequest) -> Request<'_> {
    let uri = request.get_uri();
    Request::to(
        request.get_method().as_str(),
        uri.scheme_str().unwrap_or_default(),
        uri.host().unwrap_or_default(),
        uri.port_u16(),
        uri.path(),
    )
}

fn outgoing_response<S>(response: &ClientResponse<S>) -> Response<'_> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    Response::with_headers(response.status().as_u16(), header)
}

/// Whether no part of the request can have reached the upstream service.
fn is_not_sent(error: &SendRequestError) -> bool {
    match error {
        SendRequestError::Url(_) => true,
        // awc reports these for a connection that ends before the response, too.
        SendRequestError::Connect(ConnectError::Disconnected | ConnectError::H2(_)) => false,
        SendRequestError::Connect(_) => true,
        _ => false,
    }
}
