//! Settings about requests: what they are counted by, how denials are answered, how many may wait.

use actix_throttle_core::decision::Decision;
use actix_web::{HttpRequest, HttpResponse};

use super::Builder;
use crate::{
    engine::{MaxWaiting, error::InitError},
    identity::{ForwardingHeader, IntoIdentifier, parse_network},
    response::{HeaderStyle, OnLimited, OnUnidentified, Unidentified},
};

impl Builder {
    /// Identifier of requests, for limits without one of their own. Default: the client's address.
    pub fn identifier<M>(mut self, identifier: impl IntoIdentifier<M>) -> Self {
        self.http.identifier = identifier.into_identifier();
        self
    }

    /// Proxies whose forwarding headers are trusted: networks (`10.0.0.0/8`) or addresses. Default:
    /// none, and such headers are ignored.
    ///
    /// # Errors
    ///
    /// If an entry is neither a network nor an address.
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
            self.http.clients.trusted.push(network);
        }
        Ok(self)
    }

    /// Header that the trusted proxies write. Default: [`ForwardingHeader::Any`].
    pub fn forwarding_header(mut self, header: ForwardingHeader) -> Self {
        self.http.clients.header = header;
        self
    }

    /// Number of leading bits of an IPv6 address that tell clients apart, from 1 to 128. Default:
    /// 64, the prefix that one subscriber usually gets.
    pub fn ipv6_prefix(mut self, bits: u8) -> Self {
        self.http.clients.ipv6_prefix = bits;
        self
    }

    /// Headers that tell clients about their limits. Default: [`HeaderStyle::XRateLimit`].
    pub fn headers(mut self, style: HeaderStyle) -> Self {
        self.http.headers = style;
        self
    }

    /// Response to denied requests, in place of 429 and a problem document (RFC 9457). Rate-limit
    /// headers are added to it, and `Retry-After`, unless it has a later one.
    pub fn on_limited<F>(mut self, answer: F) -> Self
    where
        F: Fn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        self.http.on_limited = Some(OnLimited::from_sync(answer));
        self
    }

    /// Response to denied requests by an async function; see [`on_limited`](Self::on_limited).
    pub fn on_limited_async<F>(mut self, answer: F) -> Self
    where
        F: AsyncFn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        self.http.on_limited = Some(OnLimited::from_async(answer));
        self
    }

    /// Sets the treatment of a request for which the identifier finds no identity: the function
    /// returns an [`Unidentified`] or a response. Default: [`Unidentified::CountByIp`].
    pub fn on_unidentified<F, R>(mut self, answer: F) -> Self
    where
        F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        self.http.on_unidentified = Some(OnUnidentified::from_sync(answer));
        self
    }

    /// Sets the treatment of such a request by an async function; see
    /// [`on_unidentified`](Self::on_unidentified).
    pub fn on_unidentified_async<F, R>(mut self, answer: F) -> Self
    where
        F: AsyncFn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        self.http.on_unidentified = Some(OnUnidentified::from_async(answer));
        self
    }

    /// Maximum number of requests that wait for one counter in this process, by
    /// [`Rule::max_wait`](crate::Rule::max_wait); further ones are denied at once. Default: 1,000;
    /// with 0 no request waits.
    ///
    /// A waiting request costs a few kilobytes, besides its open connection.
    pub fn max_waiting(mut self, requests: usize) -> Self {
        self.engine.settings.max_waiting = MaxWaiting(requests);
        self
    }
}
