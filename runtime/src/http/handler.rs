//! The runtime of a rewritten handler: checks the rules, extracts the arguments, and calls the
//! handler as it was written. Macro output calls it.
//!
//! Actix creates the extractors of a handler eagerly, left to right, and then polls them together,
//! so a limiter among them could not leave the body unread. The rewritten handler therefore takes
//! one argument that never fails, [`Limited`]; the original extractors run after the check.

use std::future::Future;

use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};

use super::{
    admission::Admission,
    body::with_permit,
    decisions::Nesting,
    guard::try_admit,
    handler_rules::RuleSet,
    in_flight::InFlight,
    limited::{Limited, Parts},
    respond::not_installed,
};
use crate::{engine::coop_yield, limiter::RateLimiter};

/// Checks the rules, then extracts the arguments, calls the handler and adds the headers.
///
/// `respond` is [`respond`]: the macro passes it, so that a compile error about the handler's
/// result points at the user's return type.
///
/// # Cancel safety
///
/// If the client leaves before the status is known, an admitted request is not refunded. Its
/// permits are released.
pub async fn run_limited<Args, Handler, Returned>(
    arguments: Limited<Args>,
    rules: &RuleSet,
    handler: Handler,
    respond: fn(Returned::Output, &HttpRequest) -> HttpResponse,
) -> HttpResponse
where
    Args: FromRequest,
    Handler: FnOnce(Args) -> Returned,
    Returned: Future,
{
    let (request, mut payload) = match arguments.into_parts() {
        Parts::Request { request, payload } => (request, payload),
        // The future is boxed to keep this one small, because only tests bypass the limits.
        Parts::Bypass(bypass) => {
            let (request, arguments) = *bypass;
            return Box::pin(async move { respond(handler(arguments).await, &request) }).await;
        }
    };
    let Some(limiter) = RateLimiter::nearest(&request) else {
        return not_installed();
    };
    coop_yield().await;
    let nesting = if rules.arguments.may_read_decisions::<Args>() {
        Nesting::ReadingHandler
    } else {
        Nesting::Handler
    };
    let admission = match try_admit(&limiter, rules, &request, nesting) {
        Ok(admission) => admission,
        // The future is boxed to keep this one small, because most requests are decided at once.
        Err(undecided) => Box::pin(undecided.admit(&request, nesting)).await,
    };
    let mut in_flight = match admission {
        Admission::Proceed(in_flight) => in_flight,
        Admission::Respond(response) => return response,
    };
    if nesting == Nesting::ReadingHandler {
        rules.check_pending_charge::<Args>(&request);
    }
    let arguments = Args::from_request(&request, &mut payload);
    run_handler(&request, arguments, &mut in_flight, handler, respond).await
}

/// Calls the handler of an admitted request, then carries out its refunds and adds its headers.
///
/// It is a function of its own so that its future reuses the memory of the check.
async fn run_handler<Args, Handler, Returned>(
    request: &HttpRequest,
    arguments: Args::Future,
    in_flight: &mut InFlight,
    handler: Handler,
    respond: fn(Returned::Output, &HttpRequest) -> HttpResponse,
) -> HttpResponse
where
    Args: FromRequest,
    Handler: FnOnce(Args) -> Returned,
    Returned: Future,
{
    let response = match arguments.await {
        Ok(arguments) => respond(handler(arguments).await, request),
        Err(error) => HttpResponse::from_error(error.into()),
    };
    let hold = in_flight.take_hold();
    in_flight.complete(response.status()).await;
    let mut response = with_permit(response, hold);
    in_flight.write_headers(request, response.headers_mut());
    response
}

/// Converts the handler's result into a response.
pub fn respond<R: Responder>(returned: R, request: &HttpRequest) -> HttpResponse
where
    R::Body: 'static,
{
    returned.respond_to(request).map_into_boxed_body()
}

/// Tells the compiler what the handler's body returns, as a signature would: macro output puts the
/// body into an `async` block, which has no signature.
pub fn typed<T, F: Future<Output = T>>(body: F) -> F {
    body
}
