//! The response that an error shares: [`ResponseError`](actix_web::ResponseError) borrows the error
//! and asks for a response of its own. It builds no response.

use std::{
    cell::RefCell,
    error::Error,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

/// The body of a shared response, kept with it: its bytes, or a stream that can be sent once.
#[derive(Clone)]
enum SharedBody {
    Bytes(Bytes),
    Stream(StreamedBody),
}

/// A stream that the shared response and the one that takes its place have in common. The one that
/// is asked for first gets it.
#[derive(Clone)]
struct StreamedBody(Rc<RefCell<Option<BoxBody>>>);

/// Keeps the body with the response, for [`take`].
pub(super) fn keep_body(response: HttpResponse) -> HttpResponse {
    let (mut response, body) = response.into_parts();
    let (shared, body) = match body.try_into_bytes() {
        Ok(bytes) => (SharedBody::Bytes(bytes.clone()), BoxBody::new(bytes)),
        Err(body) => {
            let stream = StreamedBody(Rc::new(RefCell::new(Some(body))));
            (SharedBody::Stream(stream.clone()), BoxBody::new(stream))
        }
    };
    response.extensions_mut().insert(shared);
    response.set_body(body)
}

/// Returns a response like the shared one, with its body. A streamed body then is gone from the
/// shared one.
pub(super) fn take(response: &HttpResponse) -> HttpResponse {
    let body = match response.extensions().get::<SharedBody>() {
        Some(SharedBody::Bytes(bytes)) => BoxBody::new(bytes.clone()),
        Some(SharedBody::Stream(StreamedBody(stream))) => {
            let stream = stream.borrow_mut().take();
            stream.unwrap_or_else(|| BoxBody::new(()))
        }
        None => BoxBody::new(()),
    };
    let mut taken = HttpResponse::with_body(response.status(), body);
    for (name, value) in response.headers() {
        taken.headers_mut().append(name.clone(), value.clone());
    }
    taken
}

impl MessageBody for StreamedBody {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        let stream = self.0.borrow();
        stream
            .as_ref()
            .map_or(BodySize::Sized(0), MessageBody::size)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match &mut *self.0.borrow_mut() {
            Some(stream) => Pin::new(stream).poll_next(context),
            None => Poll::Ready(None),
        }
    }
}
