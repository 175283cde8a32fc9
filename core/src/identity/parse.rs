//! Reads the identity that a person writes, to look at it, reset or block it. What operates a
//! limiter calls it; no request that is limited does.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv6Addr};

use percent_encoding::percent_decode_str;

use super::{Identity, RequestPart, Source, Value, network};

/// The error of a text that stands for an identity of whose value only a hash is known.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashedIdentity;

impl Identity {
    /// Reads an identity: an address, `global`, a text as `Identity` writes it (`user=42`,
    /// `path.id=42`, `jwt.sub=42`, `(ip=192.0.2.1&user=42)`), a header, cookie or parameter with
    /// its value in the clear (`header.X-Api-Key=k-8a2f`), and any other text as an identity of the
    /// application. An IPv6 address is counted by `ipv6_prefix` bits.
    ///
    /// # Errors
    ///
    /// If the text has a hash in place of a value: nothing leads from it to the identity.
    #[doc(hidden)]
    pub fn parse(written: &str, ipv6_prefix: u8) -> Result<Self, HashedIdentity> {
        let written = written.trim();
        if let Ok(address) = written.parse() {
            return Ok(client(address, ipv6_prefix));
        }
        match combination(written, ipv6_prefix).or_else(|| part(written, ipv6_prefix)) {
            Some(identity) => identity,
            None => Ok(Self::new(written)),
        }
    }
}

type Parsed = Result<Identity, HashedIdentity>;

/// Reads a combination and its context. Returns `None` if the text is none.
fn combination(written: &str, ipv6_prefix: u8) -> Option<Parsed> {
    let (parts, rest) = written.strip_prefix('(')?.split_once(')')?;
    // The signs `&`, `(`, `)` and `;` inside a part are escaped.
    let parts: Option<Vec<_>> = parts.split('&').map(|one| part(one, ipv6_prefix)).collect();
    let parts = parts.filter(|parts| parts.len() > 1)?;
    let whole = match parts.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(parts) => Identity::all(parts),
        Err(hashed) => return Some(Err(hashed)),
    };
    match rest.strip_prefix(';') {
        None => rest.is_empty().then_some(Ok(whole)),
        Some(key) => Some(text(key).map(|key| whole.context(&key))),
    }
}

/// Reads a source with its value. Returns `None` if the text begins with no known source.
fn part(written: &str, ipv6_prefix: u8) -> Option<Parsed> {
    if written == "global" {
        return Some(Ok(Identity::global()));
    }
    if let Some(key) = written.strip_prefix("global;") {
        return Some(text(key).map(|key| Identity::global().context(&key)));
    }
    let (name, value) = written.split_once(['=', '!'])?;
    let source = source(name)?;
    if written[name.len()..].starts_with('!') {
        return Some(Ok(Identity::unidentified(
            source,
            counted(value, ipv6_prefix)?,
        )));
    }
    if source == Source::Client {
        let (address, key) = match value.split_once(';') {
            Some((address, key)) => (address, Some(key)),
            None => (value, None),
        };
        let client = Identity::client(counted(address, ipv6_prefix)?);
        return Some(match key {
            Some(key) => text(key).map(|key| client.context(&key)),
            None => Ok(client),
        });
    }
    if is_hash(value) {
        return Some(Err(HashedIdentity));
    }
    let identity =
        |value: &str| Identity::of(source.clone(), Value::Bytes(value.as_bytes().into()));
    if matches!(
        source,
        Source::RequestPart(
            RequestPart::Header | RequestPart::Cookie | RequestPart::Query,
            _
        )
    ) {
        // Keys have a hash of such a value, so this is no text of a key: the value is as the client
        // sends it.
        return Some(Ok(identity(value)));
    }
    Some(match value.split_once(';') {
        Some((value, key)) => {
            text(value).and_then(|value| Ok(identity(&value).context(&text(key)?)))
        }
        None => text(value).map(|value| identity(&value)),
    })
}

fn source(name: &str) -> Option<Source> {
    Some(match name.split_once('.') {
        None if name == "ip" => Source::Client,
        None if name == "user" => Source::Application,
        None => return None,
        Some((kind, name)) => {
            let name = percent_decode_str(name).decode_utf8().ok()?;
            let part = match kind {
                "header" => {
                    let name = name.to_ascii_lowercase().as_str().into();
                    return Some(Source::RequestPart(RequestPart::Header, name));
                }
                "cookie" => RequestPart::Cookie,
                "path" => RequestPart::Path,
                "query" => RequestPart::Query,
                "jwt" => return Some(Source::Claim(name.as_ref().into())),
                "session" => return Some(Source::Session(name.as_ref().into())),
                _ => return None,
            };
            Source::RequestPart(part, name.as_ref().into())
        }
    })
}

/// Reads the network of a client: an address, also with dashes as in keys, or `none`.
fn counted(text: &str, ipv6_prefix: u8) -> Option<Option<ipnet::IpNet>> {
    if text == "none" {
        return Some(None);
    }
    let address = text.parse().ok().or_else(|| dashed(text))?;
    Some(Some(network(address, ipv6_prefix)))
}

fn dashed(text: &str) -> Option<IpAddr> {
    let address: Ipv6Addr = text.replace('-', ":").parse().ok()?;
    Some(IpAddr::V6(address))
}

fn client(address: IpAddr, ipv6_prefix: u8) -> Identity {
    Identity::client(Some(network(address, ipv6_prefix)))
}

/// Reads a value as keys have it: percent-escaped, or a hash.
fn text(value: &str) -> Result<String, HashedIdentity> {
    if is_hash(value) {
        return Err(HashedIdentity);
    }
    let decoded = percent_decode_str(value).decode_utf8();
    Ok(decoded.map_or_else(|_| value.to_owned(), |value| value.into_owned()))
}

/// Whether keys have this in place of a value that may be a secret or is long.
fn is_hash(value: &str) -> bool {
    let digits = value
        .split(';')
        .next()
        .and_then(|value| value.strip_prefix('#'));
    digits.is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
