//! Responses of the page: their headers, which keep a browser from doing anything with it but
//! showing it.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::Markup;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::view::STYLE;

/// The content security policy: nothing is loaded, run or embedded, and the one style is that of
/// the page, by its hash. The icon is an empty one, which saves the browser from asking the site
/// for its own.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
});

/// Responds with a page.
pub(super) fn page(status: StatusCode, markup: Markup) -> HttpResponse {
    builder(status)
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string())
}

/// Responds with data.
pub(super) fn json(status: StatusCode, data: &impl Serialize) -> HttpResponse {
    builder(status).json(data)
}

/// Responds with a text, without saying what the address is for.
pub(super) fn text(status: StatusCode, text: &'static str) -> HttpResponse {
    builder(status)
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

/// Sends the browser to another view after a POST, so that loading it again repeats nothing.
pub(super) fn see(query: &str) -> HttpResponse {
    builder(StatusCode::SEE_OTHER)
        .insert_header((LOCATION, query))
        .finish()
}

fn builder(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        // This header is for browsers that do not know `frame-ancestors`.
        .insert_header(("X-Frame-Options", "DENY"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
        // The value is not `no-referrer`, because a POST would then have `Origin: null`.
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header(("X-Robots-Tag", "noindex, nofollow"));
    builder
}
