//! A response runs until its body has been sent, or is dropped.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

use crate::limiter::PermitHold;

/// The response, with its places until its body has ended.
pub(super) fn with_permit(response: HttpResponse, hold: Option<Box<PermitHold>>) -> HttpResponse {
    match hold {
        Some(hold) => response.map_body(|_, body| BoxBody::new(PermitBody::new(body, hold))),
        None => response,
    }
}

/// A body whose response holds places.
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
        // The end, or an error that ends it: what has ended is often kept a while.
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            drop(self.hold.take());
        }
        next
    }
}
