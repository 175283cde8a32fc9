//! The service of the middleware: matches and admits each request, then calls the inner service.

use std::{
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use futures_util::{
    TryFutureExt,
    future::{Either, LocalBoxFuture, MapOk},
};

use super::{
    admission::{MiddlewareAdmission, admit},
    builder::Throttle,
    error::ErrorWithHeaders,
    matcher::Matches,
    rule_table::{Loaded, WorkerCache},
    settings::ThrottleSettings,
    shared_request::{SharingCheck, SharingDetector},
};
use crate::http::body::PermitBody;

impl<S, B: MessageBody> Transform<S, ServiceRequest> for Throttle
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Throttled<S>;
    type InitError = ();
    type Future = Ready<Result<Throttled<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let plan = Arc::clone(&self.plan);
        let shelf = WorkerCache::new(&plan.own, plan.live.clone());
        ready(Ok(Throttled(Rc::new(Layer {
            plan,
            shelf,
            service,
            watch: SharingDetector::default(),
        }))))
    }
}

/// A service behind a [`Throttle`].
pub struct Throttled<S>(Rc<Layer<S>>);

struct Layer<S> {
    plan: Arc<ThrottleSettings>,
    shelf: WorkerCache,
    service: S,
    watch: SharingDetector,
}

/// The future of a request that no entry matches.
type Passthrough<S, B> = MapOk<
    <S as Service<ServiceRequest>>::Future,
    fn(ServiceResponse<B>) -> ServiceResponse<EitherBody<B>>,
>;

type Answer<B> = Result<ServiceResponse<EitherBody<B>>, Error>;

impl<S, B: MessageBody> Service<ServiceRequest> for Throttled<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Either<Passthrough<S, B>, LocalBoxFuture<'static, Answer<B>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.service.poll_ready(context)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let Layer {
            plan, shelf, watch, ..
        } = &*self.0;
        let held = shelf.current();
        let watched = watch.begin(&mut request);
        if let Some(pinned) = &held.pinned {
            request.extensions_mut().insert(pinned.clone());
        }
        let fitting = plan.matching(&held.rulebook, request.request());
        if fitting.is_empty() {
            if let Some(refusal) = watched.refusal(&mut request) {
                let answer = request.into_response(refusal).map_into_right_body();
                return Either::Right(Box::pin(ready(Ok(answer))));
            }
            let answer = self.0.service.call(request);
            return Either::Left(answer.map_ok(ServiceResponse::map_into_left_body));
        }
        Either::Right(Box::pin(limited(
            Rc::clone(&self.0),
            held,
            request,
            watched,
            fitting,
        )))
    }
}

/// Decides the entries, then calls the inner service unless they deny the request.
///
/// # Invariant
///
/// While the inner service runs, nothing here has a clone of the `HttpRequest`: the router changes
/// the request, and panics if it is shared.
///
/// # Cancel safety
///
/// If the client leaves before the status is known, an admitted request is not refunded. Its
/// permits are released.
async fn limited<S, B: MessageBody + 'static>(
    layer: Rc<Layer<S>>,
    held: Rc<Loaded>,
    mut request: ServiceRequest,
    watched: SharingCheck,
    fitting: Matches,
) -> Answer<B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let mut admitted = match admit(&layer.plan, &held.rulebook, &fitting, request.request()).await {
        MiddlewareAdmission::Respond(answer) => {
            return Ok(request.into_response(answer).map_into_right_body());
        }
        MiddlewareAdmission::Proceed(admitted) => admitted,
    };
    if let Some(refusal) = watched.refusal(&mut request) {
        return Ok(request.into_response(refusal).map_into_right_body());
    }
    match layer.service.call(request).await {
        Ok(mut response) => {
            let hold = admitted.take_hold();
            let status = response.status();
            if let Some((decisions, style)) = admitted.finish(status).await {
                decisions.write(style, response.headers_mut());
            }
            Ok(match hold {
                Some(hold) => response.map_body(|_, body| {
                    EitherBody::right(BoxBody::new(PermitBody::new(body, hold)))
                }),
                None => response.map_into_left_body(),
            })
        }
        Err(error) => {
            let status = error.as_response_error().status_code();
            Err(match admitted.finish(status).await {
                Some((decisions, style)) => ErrorWithHeaders::wrap(error, decisions, style),
                None => error,
            })
        }
    }
}
