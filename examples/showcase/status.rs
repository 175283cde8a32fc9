//! The status page. A header says here what a request may see, so that it can be tried with `curl`;
//! a service takes it from the log-in of its people.

use actix_throttle::{Access, StatusPage};
use actix_web::{HttpRequest, web};

/// `X-Admin: full` or `read`; all others get 403.
fn access(request: &HttpRequest) -> Access {
    let admin = request.headers().get("X-Admin");
    match admin.map(|value| value.as_bytes()) {
        Some(b"full") => Access::Full,
        Some(b"read") => Access::ReadOnly,
        _ => Access::Forbidden,
    }
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::scope("/status").service(StatusPage::new(access)));
}
