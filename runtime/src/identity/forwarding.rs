//! The headers in which proxies report the addresses of their clients: which one, and how it is
//! read. `client_ip` decides which peers are believed.

use std::net::{IpAddr, SocketAddr};

use actix_throttle_core::network::canonical;
use actix_web::http::header::{HeaderMap, HeaderName};

/// The header in which trusted proxies report the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardingHeader {
    /// Either header. If a request has both and they disagree, the client sent one of them, and the
    /// request is counted under the proxy's address. Name your proxy's header to avoid this.
    #[default]
    Any,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For`.
    XForwardedFor,
}

/// Parses the address of one hop.
pub(super) type Hop = fn(&str) -> Option<IpAddr>;

/// Returns the hops of a header's lines, the nearest first: `None` for one that cannot be read.
/// `None` without that header.
pub(super) fn hops_from_the_right(
    headers: &HeaderMap,
    name: HeaderName,
    hop: Hop,
) -> Option<impl Iterator<Item = Option<IpAddr>>> {
    let lines: Vec<_> = headers.get_all(name).collect();
    if lines.is_empty() {
        return None;
    }
    let elements = lines.into_iter().rev();
    let elements = elements.flat_map(|line| rsplit_unquoted(line.as_bytes(), b','));
    Some(elements.map(move |element| {
        let text = str::from_utf8(element).ok()?;
        hop(text.trim())
    }))
}

/// Reads a header that has one address and nothing else. `None` if it is missing, cannot be read,
/// or stands there twice: one of them would be the client's.
pub(super) fn single_address(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let mut lines = headers.get_all(name);
    let (line, None) = (lines.next()?, lines.next()) else {
        return None;
    };
    x_forwarded_for_hop(line.to_str().ok()?.trim())
}

/// Returns the `for` of an element (RFC 7239, section 4). More than one is invalid, because a proxy
/// writes one.
pub(super) fn forwarded_hop(element: &str) -> Option<IpAddr> {
    let mut nodes = rsplit_unquoted(element.as_bytes(), b';').filter_map(|pair| {
        let (name, value) = str::from_utf8(pair).ok()?.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    });
    let (node, None) = (nodes.next()?, nodes.next()) else {
        return None;
    };
    let quoted = || node.strip_prefix('"')?.strip_suffix('"');
    x_forwarded_for_hop(quoted().unwrap_or(node))
}

/// Accepts `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:80`.
pub(super) fn x_forwarded_for_hop(element: &str) -> Option<IpAddr> {
    let bare = || element.parse().ok();
    let with_port = || element.parse().ok().map(|address: SocketAddr| address.ip());
    let bracketed = || element.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: IpAddr = bare().or_else(with_port).or_else(bracketed)?;
    Some(canonical(address))
}

/// Splits at separators outside of quotes, from the right: a trusted proxy wrote that end, with
/// balanced quotes. A quoted value may be the client's text: `host="a,for=192.0.2.1"` is one.
fn rsplit_unquoted(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let at = (0..text.len()).rev().find(|&at| {
            quoted ^= text[at] == b'"' && !is_escaped(text, at);
            text[at] == separator && !quoted
        });
        rest = at.map(|at| &text[..at]);
        Some(&text[at.map_or(0, |at| at + 1)..])
    })
}

fn is_escaped(text: &[u8], at: usize) -> bool {
    let backslashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\');
    backslashes.count() % 2 == 1
}
