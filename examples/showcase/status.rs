//! The status page. Who may see what is in a header here, so that it can be tried with `curl`; a
//! service asks whatever its people log in with.

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
