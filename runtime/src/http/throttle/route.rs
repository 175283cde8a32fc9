//! The path and route of a request, as Actix's router sees them. Matching and exemptions read them.

use actix_web::HttpRequest;

/// The path by which Actix finds routes: decoded, so that it has one spelling, and whole, however
/// many scopes the router has entered.
pub(super) fn path(request: &HttpRequest) -> &str {
    request.match_info().as_str()
}

/// The pattern of the route that the path leads to, before the router has gone there or after.
pub(super) fn pattern(request: &HttpRequest) -> Option<String> {
    let path = path(request);
    if path == request.path() {
        // This call evaluates guards, too, if the request is in a resource.
        return request.match_pattern();
    }
    // `match_pattern` of the request would look for the path as sent, which the router does not.
    request.resource_map().match_pattern(path)
}
