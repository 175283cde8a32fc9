//! A call and its answer, whatever the client.

use std::borrow::Cow;

/// A call that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    method: &'a str,
    host: Cow<'a, str>,
    path: &'a str,
}

impl<'a> Request<'a> {
    /// By its method, the host with its port unless that is the scheme's own, and the path.
    #[must_use]
    pub fn new(method: &'a str, host: impl Into<Cow<'a, str>>, path: &'a str) -> Self {
        Self {
            method,
            host: host.into(),
            path,
        }
    }

    /// `GET`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method
    }

    /// `towns.example`, and `towns.example:8443` where the port is not the scheme's own.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path as it is sent, without the query.
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
        // Names of hosts are the same in any case, and so is a port that need not be said.
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

/// What matters here of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    pub(super) status: u16,
    pub(super) retry_after: Option<&'a str>,
    pub(super) date: Option<&'a str>,
}

impl<'a> Response<'a> {
    /// An answer with this status.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            retry_after: None,
            date: None,
        }
    }

    /// Its header `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, value: Option<&'a str>) -> Self {
        self.retry_after = value;
        self
    }

    /// Its header `Date`: a date in `Retry-After` is then by the peer's clock, whatever the own one
    /// says.
    #[must_use]
    pub fn date(mut self, value: Option<&'a str>) -> Self {
        self.date = value;
        self
    }
}

#[cfg(all(test, any(feature = "awc", feature = "reqwest")))]
mod tests {
    use super::*;

    #[test]
    fn port_is_told_unless_it_is_the_schemes_own() {
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
