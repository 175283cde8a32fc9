//! Response bodies that hold concurrency permits: a request counts until its response body has been
//! sent or is dropped.
//!
//! Handlers and the middleware wrap bodies in them. The bytes of a body are never changed.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

use crate::engine::PermitHold;

/// Gives the permits to the response's body, which holds them until its end.
pub(super) fn with_permit(response: HttpResponse, hold: Option<Box<PermitHold>>) -> HttpResponse {
    match hold {
        Some(hold) => response.map_body(|_, body| BoxBody::new(PermitBody::new(body, hold))),
        None => response,
    }
}

/// A response body that holds concurrency permits.
pub(super) struct PermitBody {
    body: BoxBody,
    hold: Option<Box<PermitHold>>,
}

impl PermitBody {
    pub(super) fn new(body: impl MessageBody + 'static, hold: Box<PermitHold>) -> Self {
        Self {
            body: BoxBody::new(body),
            hold: Some(hold),
        }
    }
}

impl MessageBody for PermitBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.body).poll_next(context);
        // The permits are released at the end or at an error, and not when the body is dropped: a
        // body that has ended is often kept for a while.
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            drop(self.hold.take());
        }
        next
    }
}
