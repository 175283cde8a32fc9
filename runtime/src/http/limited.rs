use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, test::TestRequest};

/// The argument of a limited handler: a request whose limits are not yet checked, and of which
/// nothing is extracted before they are.
///
/// [`rate_limit`](crate::rate_limit) and [`concurrency_limit`](crate::concurrency_limit) turn a handler
///
/// ```
/// # use actix_web::{Responder, web};
/// async fn item(id: web::Path<u32>) -> impl Responder {
///     format!("item {id}")
/// }
/// ```
///
/// into `async fn item(_: Limited<(web::Path<u32>,)>) -> HttpResponse`. Its parameter names the
/// arguments as they were written, as a tuple.
///
/// # Unit tests
///
/// With [`bypass`](Self::bypass), a test calls the handler as it was written, with arguments of its
/// own: no limit is checked, and no limiter is needed.
///
/// ```
/// use actix_throttle::{Limited, rate_limit};
/// use actix_web::{Responder, web};
///
/// #[rate_limit("10/minute")]
/// async fn item(id: web::Path<u32>) -> impl Responder {
///     format!("item {id}")
/// }
///
/// # #[actix_web::main] async fn main() {
/// let response = item(Limited::bypass((web::Path::from(7),))).await;
/// assert_eq!(response.status(), 200);
/// # }
/// ```
///
/// A handler under `#[get]` and its like is no function any more, limited or not: such handlers are
/// tested in an application, by [`actix_web::test`](mod@actix_web::test).
///
/// # Traits
///
/// A limited handler may implement a trait's function if the trait declares it as it is when it is
/// limited:
///
/// ```
/// use actix_throttle::{Limited, rate_limit};
/// use actix_web::{App, HttpResponse, web};
///
/// trait Resource {
///     fn show(id: Limited<(web::Path<u32>,)>) -> impl Future<Output = HttpResponse>;
/// }
///
/// struct Items;
///
/// impl Resource for Items {
///     #[rate_limit("10/minute")]
///     async fn show(id: web::Path<u32>) -> String {
///         format!("item {id}")
///     }
/// }
///
/// let app = App::new().route("/items/{id}", web::get().to(Items::show));
/// # let _ = app;
/// ```
pub struct Limited<Args>(Parts<Args>);

/// What the arguments are made of.
pub(super) enum Parts<Args> {
    /// For extractors, after the check.
    Request {
        request: HttpRequest,
        payload: Payload,
    },
    /// They are there already, and nothing is checked. Boxed: no server has one.
    Bypass(Box<(HttpRequest, Args)>),
}

impl<Args> Limited<Args> {
    /// These arguments, for a handler to be called with them and without its limits.
    ///
    /// They are a tuple, also if it is one argument, `(id,)`, or none, `()`. (Actix takes tuples of up
    /// to 16: more arguments are nested, sixteen in a tuple, as the handler's signature shows.)
    pub fn bypass(arguments: Args) -> Self {
        Self::bypass_for(TestRequest::default().to_http_request(), arguments)
    }

    /// The same for this request, where what the handler returns looks at it to make its response.
    pub fn bypass_for(request: HttpRequest, arguments: Args) -> Self {
        Self(Parts::Bypass(Box::new((request, arguments))))
    }

    pub(super) fn into_parts(self) -> Parts<Args> {
        self.0
    }
}

impl<Args> FromRequest for Limited<Args> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(Parts::Request {
            request: request.clone(),
            payload: payload.take(),
        })))
    }
}

impl<Args> fmt::Debug for Limited<Args> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limited").finish_non_exhaustive()
    }
}
