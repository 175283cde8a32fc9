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

use crate::limiter::Hold;

/// The response, with its places until its body has ended.
pub(super) fn hold_on(response: HttpResponse, hold: Option<Box<Hold>>) -> HttpResponse {
    match hold {
        Some(hold) => response.map_body(|_, body| BoxBody::new(Running::new(body, hold))),
        None => response,
    }
}

/// A body whose response holds places.
pub(super) struct Running {
    body: BoxBody,
    hold: Option<Box<Hold>>,
}

impl Running {
    pub(super) fn new(body: impl MessageBody + 'static, hold: Box<Hold>) -> Self {
        Self {
            body: BoxBody::new(body),
            hold: Some(hold),
        }
    }
}

impl MessageBody for Running {
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
