//! [`StatusPage`]: the service that the application mounts.

use std::{fmt, sync::Arc};

use actix_web::{
    HttpRequest,
    dev::{AppService, HttpServiceFactory},
    web,
};

use super::{access::Access, handle::handle};
use crate::http::STATUS_PAGE;

type AccessFn = dyn Fn(&HttpRequest) -> Access + Send + Sync;

/// A page on which the people who operate a service see how its limits stand, and reset or block
/// identities.
///
/// It is a service, mounted in a scope of its own. It shows the limiter of the requests that come
/// to it: the nearest in `app_data`, else the process-wide one. The function says for each request
/// what it may see and do; the page cannot be made without one. The guide has
/// [a chapter](crate::guide::status_page) on it.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{Access, RateLimiter, StatusPage};
/// use actix_web::{App, HttpMessage, HttpRequest, web};
///
/// /// What your own middleware knows of whoever has logged in.
/// #[derive(Clone)]
/// struct Staff {
///     is_operator: bool,
/// }
///
/// fn access(request: &HttpRequest) -> Access {
///     match request.extensions().get::<Staff>() {
///         Some(staff) if staff.is_operator => Access::Full,
///         Some(_) => Access::ReadOnly,
///         None => Access::Forbidden,
///     }
/// }
///
/// let limiter = RateLimiter::builder().memory().build().await?;
/// let app = App::new()
///     .app_data(limiter)
///     .service(web::scope("/limits").service(StatusPage::new(access)));
/// # let _ = app;
/// # Ok(()) }
/// ```
///
/// Every view is there as JSON too: add `format=json` to its query string. The data is that of
/// [`RateLimiter::snapshot`](crate::RateLimiter::snapshot).
///
/// A [`Throttle`](crate::Throttle) around the page counts requests to it, but never denies them: a
/// person who is locked out by a limit that is too tight can still come here and change it.
#[derive(Clone)]
pub struct StatusPage {
    access: Arc<AccessFn>,
}

impl StatusPage {
    /// Makes the page. `access` is called for each request, and before anything else.
    pub fn new(access: impl Fn(&HttpRequest) -> Access + Send + Sync + 'static) -> Self {
        Self {
            access: Arc::new(access),
        }
    }
}

impl HttpServiceFactory for StatusPage {
    fn register(self, config: &mut AppService) {
        let route = move || {
            let access = Arc::clone(&self.access);
            web::route().to(move |request: HttpRequest, body: web::Payload| {
                let access = access(&request);
                handle(request, body, access)
            })
        };
        // The page has both addresses, with a slash and without: a middleware that trims slashes
        // would turn a redirect to the other one into a circle.
        web::resource(["", "/"])
            .name(STATUS_PAGE)
            .route(route())
            .register(config);
    }
}

impl fmt::Debug for StatusPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusPage").finish_non_exhaustive()
    }
}
