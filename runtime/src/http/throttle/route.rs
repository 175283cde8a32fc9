//! Where a request goes, as the router sees it.

use actix_web::HttpRequest;

/// The path by which routes are found: decoded, so that it cannot be written in another way, and
/// whole, whatever scopes have been entered.
pub(super) fn path(request: &HttpRequest) -> &str {
    request.match_info().as_str()
}

/// The pattern of the route that this path leads to, before the router has gone there or after.
pub(super) fn pattern(request: &HttpRequest) -> Option<String> {
    let path = path(request);
    if path == request.path() {
        // On a resource this knows of guards, too.
        return request.match_pattern();
    }
    // That would look for the path as it was sent, which the router does not.
    request.resource_map().match_pattern(path)
}
