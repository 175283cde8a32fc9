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
    admission::admit,
    builder::Throttle,
    error::ErrorWithHeaders,
    matcher::Matches,
    rule_table::{Loaded, WorkerCache},
    settings::{NetworkDenied, ThrottleSettings},
    shared_request::{SharingCheck, SharingDetector},
};
use crate::{
    http::{admission::Admission, body::PermitBody},
    response::forbidden,
};

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
        let settings = Arc::clone(&self.settings);
        settings.tell_policies();
        let cache = WorkerCache::new(&settings.own, settings.live.clone());
        ready(Ok(Throttled(Rc::new(Inner {
            settings,
            cache,
            service,
            detector: SharingDetector::default(),
        }))))
    }
}

/// A service behind a [`Throttle`].
pub struct Throttled<S>(Rc<Inner<S>>);

struct Inner<S> {
    settings: Arc<ThrottleSettings>,
    cache: WorkerCache,
    service: S,
    detector: SharingDetector,
}

/// The future of a request that no entry matches.
type Passthrough<S, B> = MapOk<
    <S as Service<ServiceRequest>>::Future,
    fn(ServiceResponse<B>) -> ServiceResponse<EitherBody<B>>,
>;

type ServiceResult<B> = Result<ServiceResponse<EitherBody<B>>, Error>;

impl<S, B: MessageBody> Service<ServiceRequest> for Throttled<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Either<Passthrough<S, B>, LocalBoxFuture<'static, ServiceResult<B>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.service.poll_ready(context)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let Inner {
            settings,
            cache,
            detector,
            ..
        } = &*self.0;
        let loaded = cache.current();
        let sharing = detector.begin(&mut request);
        if let Some(snapshot) = &loaded.snapshot {
            request.extensions_mut().insert(snapshot.clone());
        }
        let matching = match settings.matching(&loaded.rule_table, request.request()) {
            Ok(matching) => matching,
            Err(NetworkDenied) => {
                let response = request.into_response(forbidden()).map_into_right_body();
                return Either::Right(Box::pin(ready(Ok(response))));
            }
        };
        if matching.is_empty() {
            if let Some(refusal) = sharing.refusal(&mut request) {
                let response = request.into_response(refusal).map_into_right_body();
                return Either::Right(Box::pin(ready(Ok(response))));
            }
            let response = self.0.service.call(request);
            return Either::Left(response.map_ok(ServiceResponse::map_into_left_body));
        }
        Either::Right(Box::pin(limited(
            Rc::clone(&self.0),
            loaded,
            request,
            sharing,
            matching,
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
    inner: Rc<Inner<S>>,
    loaded: Rc<Loaded>,
    mut request: ServiceRequest,
    sharing: SharingCheck,
    matching: Matches,
) -> ServiceResult<B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let admission = admit(
        &inner.settings,
        &loaded.rule_table,
        &matching,
        request.request(),
    )
    .await;
    let mut in_flight = match admission {
        Admission::Proceed(in_flight) => in_flight,
        Admission::Respond(response) => {
            return Ok(request.into_response(response).map_into_right_body());
        }
    };
    if let Some(refusal) = sharing.refusal(&mut request) {
        return Ok(request.into_response(refusal).map_into_right_body());
    }
    match inner.service.call(request).await {
        Ok(mut response) => {
            let hold = in_flight.take_hold();
            in_flight.complete(response.status()).await;
            if let Some((decisions, style)) = in_flight.into_decisions() {
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
            in_flight.complete(status).await;
            Err(match in_flight.into_decisions() {
                Some((decisions, style)) => ErrorWithHeaders::wrap(error, decisions, style),
                None => error,
            })
        }
    }
}
