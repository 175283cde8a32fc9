//! The rewritten handler's single argument, and what the rewritten handler does.
//!
//! A handler's extractors are made eagerly, left to right, then polled together: a limiter among
//! them could not keep the body unread. So the rewritten handler takes one argument that never
//! fails and only keeps what extractors need; the check comes first, then the original extractors.

use std::{
    any::TypeId,
    convert::Infallible,
    future::{Future, Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, dev::Payload};
use once_cell::sync::Lazy;

use super::{
    guard::{Guarded, Passage, guard},
    not_installed::not_installed,
    pending::Pending,
    rule::Rule,
    running::hold_on,
    shown::Layer,
};
use crate::limiter::{RateLimiter, let_others_run};

/// The request and its payload, kept for after the check.
pub struct Gate {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Gate {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self {
            request: request.clone(),
            payload: payload.take(),
        }))
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// The rules of one handler, made at its first request.
#[derive(Debug)]
pub struct Policy(Lazy<Vec<Rule>>);

impl Policy {
    /// A policy of the rules that `rules` makes.
    pub const fn new(rules: fn() -> Vec<Rule>) -> Self {
        Self(Lazy::new(rules))
    }
}

/// Checks the policy, then extracts the arguments and calls the handler; headers last.
///
/// `respond` is [`respond`]: the macro passes it, so that an error about what the handler returns
/// points at the user's return type.
pub async fn serve<Args, Handler, Answer>(
    gate: Gate,
    policy: &Policy,
    handler: Handler,
    respond: fn(Answer::Output, &HttpRequest) -> HttpResponse,
) -> HttpResponse
where
    Args: FromRequest + 'static,
    Handler: FnOnce(Args) -> Answer,
    Answer: Future,
{
    let Gate {
        request,
        mut payload,
    } = gate;
    let Some(limiter) = RateLimiter::nearest(&request) else {
        return not_installed();
    };
    let_others_run().await;
    let passage = match guard(&limiter, &policy.0, &request, layer::<Args>()) {
        Guarded::Now(passage) => passage,
        Guarded::Later(decided) => decided.await,
    };
    let mut pending = match passage {
        Passage::Open(pending) => pending,
        Passage::Shut(response) => return response,
    };
    let arguments = Args::from_request(&request, &mut payload);
    go_on(
        &limiter,
        &request,
        arguments,
        &mut pending,
        handler,
        respond,
    )
    .await
}

/// Two attributes that do not know of each other rewrite a handler twice: what the outer one calls
/// takes a gate, and decides something itself.
fn layer<Args: 'static>() -> Layer {
    match TypeId::of::<Args>() == TypeId::of::<(Gate,)>() {
        true => Layer::Outer,
        false => Layer::Innermost,
    }
}

/// Calls the handler of a request that may go on, and does what its response is owed.
///
/// Apart, so that this takes the room that the check has needed, and none beside it.
async fn go_on<Args, Handler, Answer>(
    limiter: &RateLimiter,
    request: &HttpRequest,
    arguments: Args::Future,
    pending: &mut Pending,
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
    pending.settle(limiter, response.status()).await;
    let mut response = hold_on(response, hold);
    pending.show(limiter, request, &mut response);
    response
}

/// What the handler returned, as a response.
pub fn respond<R: Responder>(returned: R, request: &HttpRequest) -> HttpResponse
where
    R::Body: 'static,
{
    returned.respond_to(request).map_into_boxed_body()
}
