//! The route of the status page, by which middleware knows requests to it.

use actix_web::HttpRequest;

/// The name of the status page's route. No pattern of an application can have it: those begin with
/// `/`.
pub(crate) const STATUS_PAGE: &str = "actix-throttle status page";

/// Whether the request goes to a status page, before the router has gone there or after.
pub(super) fn is_status_page(request: &HttpRequest) -> bool {
    let path = request.match_info().as_str();
    request.resource_map().match_name(path) == Some(STATUS_PAGE)
}
