//! The argument of rewritten handlers.

use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, test::TestRequest};

/// The argument of a limited handler: a request whose limits are not yet checked, and of which
/// nothing is extracted before they are.
///
/// [`rate_limit`](crate::rate_limit) and [`concurrency_limit`](crate::concurrency_limit) turn a
/// handler
///
/// ```
/// # use actix_web::{Responder, web};
/// async fn item(id: web::Path<u32>) -> impl Responder {
///     format!("item {id}")
/// }
/// ```
///
/// into `async fn item(_: Limited<(web::Path<u32>,)>) -> HttpResponse`. The type parameter is the
/// tuple of the original arguments' types.
///
/// # Unit tests
///
/// With [`bypass`](Self::bypass), a test calls the handler with arguments of its own: no limit is
/// checked, and no limiter is needed.
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
/// A handler under `#[get]` and its like is no longer a function, limited or not. Test such a
/// handler in an application, with [`actix_web::test`](mod@actix_web::test).
///
/// # Traits
///
/// A limited handler may implement a function of a trait, if the trait declares the function in its
/// rewritten form:
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

/// The source of a handler's arguments.
pub(super) enum Parts<Args> {
    /// The request, for extractors that run after the check.
    Request {
        request: HttpRequest,
        payload: Payload,
    },
    /// The arguments themselves; nothing is checked. They are boxed to keep the enum small, because
    /// only tests use them.
    Bypass(Box<(HttpRequest, Args)>),
}

impl<Args> Limited<Args> {
    /// Wraps arguments, to call a handler with them and without its limits.
    ///
    /// The arguments are a tuple, also if there is one, `(id,)`, or none, `()`. (Actix takes tuples
    /// of up to 16: more arguments are nested, sixteen in a tuple, as the handler's signature
    /// shows.)
    pub fn bypass(arguments: Args) -> Self {
        Self::bypass_for(TestRequest::default().to_http_request(), arguments)
    }

    /// Wraps arguments as [`bypass`](Self::bypass) does, with the request that the handler's result
    /// needs to become a response.
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
