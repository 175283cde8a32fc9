//! What a rewritten handler does: it checks its policy, extracts, and calls the handler as it was
//! written.
//!
//! A handler's extractors are made eagerly, left to right, then polled together: a limiter among
//! them could not keep the body unread. So the rewritten handler takes one argument that never
//! fails, [`Limited`]; the check comes first, then the original extractors.

use std::future::Future;

use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};

use super::{
    body::with_permit,
    decisions::Nesting,
    guard::{Admission, TryGuard, guard},
    in_flight::InFlight,
    limited::{Limited, Parts},
    respond::not_installed,
    rule::Rule,
};
use crate::limiter::{RateLimiter, coop_yield};

/// Checks the rules, then extracts the arguments and calls the handler; headers last.
///
/// `respond` is [`respond`]: the macro passes it, so that an error about what the handler returns
/// points at the user's return type.
pub async fn serve<Args, Handler, Answer>(
    arguments: Limited<Args>,
    rules: &[Rule],
    handler: Handler,
    respond: fn(Answer::Output, &HttpRequest) -> HttpResponse,
) -> HttpResponse
where
    Args: FromRequest,
    Handler: FnOnce(Args) -> Answer,
    Answer: Future,
{
    let (request, mut payload) = match arguments.into_parts() {
        Parts::Request { request, payload } => (request, payload),
        // Boxed: requests of a server need not move about a future with room for a test's.
        Parts::Bypass(bypass) => {
            let (request, arguments) = *bypass;
            return Box::pin(async move { respond(handler(arguments).await, &request) }).await;
        }
    };
    let Some(limiter) = RateLimiter::nearest(&request) else {
        return not_installed();
    };
    coop_yield().await;
    let admission = match guard(&limiter, rules, &request, Nesting::Handler) {
        TryGuard::Ready(admission) => admission,
        TryGuard::Pending(decided) => decided.await,
    };
    let mut pending = match admission {
        Admission::Proceed(pending) => pending,
        Admission::Respond(response) => return response,
    };
    let arguments = Args::from_request(&request, &mut payload);
    run_handler(
        &limiter,
        &request,
        arguments,
        &mut pending,
        handler,
        respond,
    )
    .await
}

/// Calls the handler of a request that may go on, and does what its response is owed.
///
/// Apart, so that this takes the room that the check has needed, and none beside it.
async fn run_handler<Args, Handler, Answer>(
    limiter: &RateLimiter,
    request: &HttpRequest,
    arguments: Args::Future,
    pending: &mut InFlight,
    handler: Handler,
    respond: fn(Answer::Output, &HttpRequest) -> HttpResponse,
) -> HttpResponse
where
    Args: FromRequest,
    Handler: FnOnce(Args) -> Answer,
    Answer: Future,
{
    let response = match arguments.await {
        Ok(arguments) => respond(handler(arguments).await, request),
        Err(error) => HttpResponse::from_error(error.into()),
    };
    let hold = pending.take_hold();
    pending.complete(limiter, response.status()).await;
    let mut response = with_permit(response, hold);
    pending.write_headers(limiter, request, &mut response);
    response
}

/// What the handler returned, as a response.
pub fn respond<R: Responder>(returned: R, request: &HttpRequest) -> HttpResponse
where
    R::Body: 'static,
{
    returned.respond_to(request).map_into_boxed_body()
}

/// Tells the compiler what the handler's body returns, as a signature would: the body stands in an
/// `async` block, which has none.
pub fn typed<T, F: Future<Output = T>>(body: F) -> F {
    body
}
