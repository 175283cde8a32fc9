//! An outbound call and its response, independent of the client.

use std::borrow::Cow;

/// An outbound call that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    method: &'a str,
    host: Cow<'a, str>,
    path: &'a str,
}

impl<'a> Request<'a> {
    /// Makes a call of its method, its host and its path. The host has its port, unless that is the
    /// scheme's default.
    #[must_use]
    pub fn new(method: &'a str, host: impl Into<Cow<'a, str>>, path: &'a str) -> Self {
        Self {
            method,
            host: host.into(),
            path,
        }
    }

    /// Returns the method, such as `GET`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method
    }

    /// Returns the host: `towns.example`, or `towns.example:8443` where the port is not the
    /// scheme's default.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the path as it is sent, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path
    }

    #[cfg(any(feature = "awc", feature = "reqwest"))]
    pub(super) fn to(
        method: &'a str,
        scheme: &str,
        host: &str,
        port: Option<u16>,
        path: &'a str,
    ) -> Self {
        // Host names match in any case, and a default port need not be written (RFC 9110, 4.2.3).
        let host = host.to_ascii_lowercase();
        let own = match scheme {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            _ => None,
        };
        match port.filter(|port| Some(*port) != own) {
            Some(port) => Self::new(method, format!("{host}:{port}"), path),
            None => Self::new(method, host, path),
        }
    }
}

/// The parts of a response that limits depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    pub(super) status: u16,
    pub(super) retry_after: Option<&'a str>,
    pub(super) date: Option<&'a str>,
    pub(super) remaining: Option<&'a str>,
    pub(super) reset: Option<&'a str>,
}

impl<'a> Response<'a> {
    /// Makes a response with this status.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            retry_after: None,
            date: None,
            remaining: None,
            reset: None,
        }
    }

    /// Sets its header `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, value: Option<&'a str>) -> Self {
        self.retry_after = value;
        self
    }

    /// Sets its header `Date`. A date in `Retry-After` then counts by the clock of the upstream
    /// service, not by this machine's.
    #[must_use]
    pub fn date(mut self, value: Option<&'a str>) -> Self {
        self.date = value;
        self
    }

    /// Sets its header `X-RateLimit-Remaining`. It counts under `Outgoing::pause_on`.
    #[must_use]
    pub fn rate_limit_remaining(mut self, value: Option<&'a str>) -> Self {
        self.remaining = value;
        self
    }

    /// Sets its header `X-RateLimit-Reset`: the time of the reset in seconds since the Unix epoch,
    /// as GitHub sends it, or the seconds until then.
    #[must_use]
    pub fn rate_limit_reset(mut self, value: Option<&'a str>) -> Self {
        self.reset = value;
        self
    }

    /// Makes a response with this status and the headers that count, each by `header`.
    #[cfg(any(feature = "awc", feature = "reqwest"))]
    pub(super) fn with_headers(status: u16, header: impl Fn(&str) -> Option<&'a str>) -> Self {
        Self {
            status,
            retry_after: header("retry-after"),
            date: header("date"),
            remaining: header("x-ratelimit-remaining"),
            reset: header("x-ratelimit-reset"),
        }
    }
}

#[cfg(all(test, any(feature = "awc", feature = "reqwest")))]
mod tests {
    use super::*;

    #[test]
    fn port_is_shown_unless_it_is_the_default() {
        for (scheme, host, port, expected) in [
            ("http", "towns.example", None, "towns.example"),
            ("http", "Towns.Example", Some(80), "towns.example"),
            ("https", "towns.example", Some(443), "towns.example"),
            ("https", "towns.example", Some(80), "towns.example:80"),
            ("http", "[::1]", Some(8080), "[::1]:8080"),
        ] {
            let call = Request::to("GET", scheme, host, port, "/");
            assert_eq!(call.host(), expected, "{scheme} {host} {port:?}");
        }
    }
}
