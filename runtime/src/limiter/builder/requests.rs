//! What is about requests: whose they are, how they are answered, and how many may wait.

use actix_web::{HttpRequest, HttpResponse};

use super::Builder;
use crate::{
    decision::Decision,
    error::InitError,
    identity::{ForwardingHeader, IntoIdentifier, parse_network},
    limiter::MaxWaiting,
    response::{HeaderStyle, OnLimited, OnUnidentified, Unidentified},
};

impl Builder {
    /// Who is counted, for limits that do not say themselves. Default: the client's address.
    pub fn identifier<M>(mut self, identifier: impl IntoIdentifier<M>) -> Self {
        self.settings.identifier = identifier.into_identifier();
        self
    }

    /// The proxies whose forwarding headers are believed: networks (`10.0.0.0/8`) or addresses.
    /// Default: none, and such headers are ignored.
    ///
    /// # Errors
    ///
    /// If one of them is neither.
    pub fn trusted_proxies<I>(mut self, proxies: I) -> Result<Self, InitError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for proxy in proxies {
            let proxy = proxy.as_ref();
            let network = parse_network(proxy).ok_or_else(|| {
                InitError::settings(format!(
                    "`{proxy}` is no network or address; write `10.0.0.0/8` or `192.0.2.1`"
                ))
            })?;
            self.settings.clients.trusted.push(network);
        }
        Ok(self)
    }

    /// Which header trusted proxies write. Default: [`ForwardingHeader::Any`].
    pub fn forwarding_header(mut self, header: ForwardingHeader) -> Self {
        self.settings.clients.header = header;
        self
    }

    /// How many bits of an IPv6 address tell clients apart, 1 to 128. Default: 64, what one
    /// subscriber is usually given.
    pub fn ipv6_prefix(mut self, bits: u8) -> Self {
        self.settings.clients.ipv6_prefix = bits;
        self
    }

    /// Which headers tell clients of their limits. Default: [`HeaderStyle::XRateLimit`].
    pub fn headers(mut self, style: HeaderStyle) -> Self {
        self.settings.headers = style;
        self
    }

    /// What denied requests are answered with, in place of 429 and a problem document. Rate-limit
    /// headers are added to it, and `Retry-After`, unless it has a later one.
    pub fn on_limited<F>(mut self, answer: F) -> Self
    where
        F: Fn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        self.settings.on_limited = Some(OnLimited::from_sync(answer));
        self
    }

    /// The same by an async function.
    pub fn on_limited_async<F>(mut self, answer: F) -> Self
    where
        F: AsyncFn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        self.settings.on_limited = Some(OnLimited::from_async(answer));
        self
    }

    /// What becomes of a request whose identifier finds nobody: a function to an
    /// [`Unidentified`] or straight to a response. Default: [`Unidentified::CountByIp`].
    pub fn on_unidentified<F, R>(mut self, answer: F) -> Self
    where
        F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        self.settings.on_unidentified = Some(OnUnidentified::from_sync(answer));
        self
    }

    /// The same by an async function.
    pub fn on_unidentified_async<F, R>(mut self, answer: F) -> Self
    where
        F: AsyncFn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        self.settings.on_unidentified = Some(OnUnidentified::from_async(answer));
        self
    }

    /// How many requests may wait for one counter in this process, by
    /// [`Rule::max_wait`](crate::Rule::max_wait); more are denied at once. Default: 1,000; 0 lets
    /// none wait.
    ///
    /// Who waits costs a few kilobytes, besides the open connection.
    pub fn max_waiting(mut self, requests: usize) -> Self {
        self.settings.max_waiting = MaxWaiting(requests);
        self
    }
}
