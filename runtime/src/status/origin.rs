//! Whether a POST comes from the page itself: the protection against cross-site request forgery.
//!
//! Browsers say where a request comes from, and no page can forge that: `Sec-Fetch-Site`, which
//! they send over HTTPS and to this machine, and `Origin`, which they send with every POST. A token
//! in the form would need a session, which the page does not have.

use actix_web::{
    HttpRequest,
    http::{
        Uri,
        header::{HOST, HeaderMap, ORIGIN},
    },
};

/// Whether the request is of the page's own origin, or not of a browser at all.
pub(super) fn is_own(request: &HttpRequest) -> bool {
    let headers = request.headers();
    if headers.contains_key("Sec-Fetch-Site") {
        // The value `none` says that a person has typed the address, which makes no POST.
        return only(headers, "Sec-Fetch-Site") == Some("same-origin");
    }
    if !headers.contains_key(ORIGIN) {
        // The request is not from a browser: a script has no cookies that another site could use.
        return true;
    }
    let host = match only(headers, HOST.as_str()) {
        Some(host) => host,
        // HTTP/2 has the host in the address.
        None => request
            .uri()
            .authority()
            .map_or("", |authority| authority.as_str()),
    };
    only(headers, ORIGIN.as_str()).is_some_and(|origin| is_at(origin, host))
}

/// Whether an origin is at this host and port. The scheme may differ, because nothing says which it
/// was behind a proxy that ends TLS.
fn is_at(origin: &str, host: &str) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else {
        return false;
    };
    let default = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return false,
    };
    let Ok(host) = host.parse::<actix_web::http::uri::Authority>() else {
        return false;
    };
    let is_same_host = origin
        .host()
        .is_some_and(|it| it.eq_ignore_ascii_case(host.host()));
    let port = |port: Option<u16>| port.unwrap_or(default);
    is_same_host && port(origin.port_u16()) == port(host.port_u16())
}

/// Returns the value of a header that stands there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name);
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn request_is_own_by_what_the_browser_says() {
        for (headers, expected) in [
            (&[("Sec-Fetch-Site", "same-origin")] as &[_], true),
            (
                &[
                    ("Sec-Fetch-Site", "same-origin"),
                    ("Origin", "https://a.example"),
                ],
                true,
            ),
            (&[("Sec-Fetch-Site", "same-site")], false),
            (&[("Sec-Fetch-Site", "cross-site")], false),
            (&[("Sec-Fetch-Site", "none")], false),
            (
                &[
                    ("Sec-Fetch-Site", "same-origin"),
                    ("Sec-Fetch-Site", "cross-site"),
                ],
                false,
            ),
            (&[("Origin", "https://a.example")], true),
            (&[("Origin", "http://A.example")], true),
            (&[("Origin", "https://a.example:443")], true),
            (&[("Origin", "https://a.example:8443")], false),
            (&[("Origin", "https://b.example")], false),
            (&[("Origin", "https://a.example.b.example")], false),
            (&[("Origin", "null")], false),
            (&[("Origin", "ftp://a.example")], false),
            (&[("Origin", "")], false),
            (
                &[
                    ("Origin", "https://a.example"),
                    ("Origin", "https://b.example"),
                ],
                false,
            ),
            (&[], true),
        ] {
            let mut request = TestRequest::post().insert_header(("Host", "a.example"));
            for header in headers {
                request = request.append_header(*header);
            }
            assert_eq!(is_own(&request.to_http_request()), expected, "{headers:?}");
        }
        let request = TestRequest::post()
            .insert_header(("Host", "a.example:8080"))
            .insert_header(("Origin", "http://a.example:8080"));
        assert!(is_own(&request.to_http_request()));
    }
}
