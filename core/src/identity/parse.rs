//! Reads the identity that a person writes, to look at it, reset or block it. What operates a
//! limiter calls it; no request that is limited does.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv6Addr};

use percent_encoding::percent_decode_str;

use super::{Identity, IdentitySource, IdentityValue, RequestPart, network};

/// The error of a text that stands for an identity of whose value only a hash is known.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashedIdentity;

impl Identity {
    /// Reads an identity: an address, `global`, a text as `Identity` writes it (`user=42`,
    /// `path.id=42`, `jwt.sub=42`, `(ip=192.0.2.1&user=42)`, `header.x-api-key!192.0.2.1`), a
    /// header, cookie or parameter with its value in the clear (`header.X-Api-Key=k-8a2f`), and any
    /// other text as an identity of the application. An IPv6 address is counted by `ipv6_prefix`
    /// bits.
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

/// Reads a combination with its contexts, or a client in place of one. Returns `None` if the text
/// is none.
pub(super) fn combination(written: &str, ipv6_prefix: u8) -> Option<Parsed> {
    // The signs `&`, `(`, `)`, `!` and `;` inside a part are escaped.
    let (parts, rest) = written.strip_prefix('(')?.split_once(')')?;
    let parts = parts.split('&');
    if let Some(client) = rest.strip_prefix('!') {
        let sources: Option<Vec<_>> = parts.map(source_of_part).collect();
        let sources = sources.filter(|sources| sources.len() > 1)?;
        let sources: Result<Vec<_>, _> = sources.into_iter().collect();
        let source = sources.map(|sources| IdentitySource::All(sources.into()));
        return unidentified(source, client, ipv6_prefix);
    }
    let ("", contexts) = split_contexts(rest) else {
        return None;
    };
    let parts: Option<Vec<_>> = parts.map(|one| part(one, ipv6_prefix)).collect();
    let parts = parts.filter(|parts| parts.len() > 1)?;
    let parts: Result<Vec<_>, _> = parts.into_iter().collect();
    Some(parts.and_then(|parts| in_contexts(Identity::all(parts), contexts)))
}

/// Reads a source with its value. Returns `None` if the text begins with no known source.
fn part(written: &str, ipv6_prefix: u8) -> Option<Parsed> {
    if let ("global", contexts) = split_contexts(written) {
        return Some(in_contexts(Identity::global(), contexts));
    }
    let (name, value) = written.split_once(['=', '!'])?;
    let source = source(name)?;
    if written[name.len()..].starts_with('!') {
        return unidentified(source, value, ipv6_prefix);
    }
    let source = match source {
        Ok(source) => source,
        Err(hashed) => return Some(Err(hashed)),
    };
    if source == IdentitySource::Client {
        return unidentified(Ok(source), value, ipv6_prefix);
    }
    if is_hash(value) {
        return Some(Err(HashedIdentity));
    }
    let identity = |value: &str| {
        Identity::of(
            source.clone(),
            IdentityValue::Bytes(value.as_bytes().into()),
        )
    };
    if matches!(
        source,
        IdentitySource::RequestPart(
            RequestPart::Header | RequestPart::Cookie | RequestPart::Query,
            _
        )
    ) {
        // Keys have a hash of such a value, so this is no text of a key: the value is as the client
        // sends it.
        return Some(Ok(identity(value)));
    }
    let (value, contexts) = split_contexts(value);
    Some(text(value).and_then(|value| in_contexts(identity(&value), contexts)))
}

/// Reads a client, also in place of a missing value of `source`, with its contexts. Returns `None`
/// if it has no address.
fn unidentified(
    source: Result<IdentitySource, HashedIdentity>,
    written: &str,
    ipv6_prefix: u8,
) -> Option<Parsed> {
    let (address, contexts) = split_contexts(written);
    let network = counted(address, ipv6_prefix)?;
    let client = source.map(|source| Identity::unidentified(source, network));
    Some(client.and_then(|client| in_contexts(client, contexts)))
}

/// Splits the keys of contexts from a text.
fn split_contexts(written: &str) -> (&str, Option<&str>) {
    match written.split_once(';') {
        Some((inside, contexts)) => (inside, Some(contexts)),
        None => (written, None),
    }
}

/// Puts an identity into the contexts with these keys, the innermost first.
fn in_contexts(identity: Identity, contexts: Option<&str>) -> Parsed {
    let mut keys = contexts.into_iter().flat_map(|keys| keys.split(';'));
    keys.try_fold(identity, |inside, key| Ok(inside.context(&text(key)?)))
}

/// Reads the source of a combination's part. Returns `None` if there is none of this name.
fn source_of_part(name: &str) -> Option<Result<IdentitySource, HashedIdentity>> {
    match name {
        "global" => Some(Ok(IdentitySource::Global)),
        name => source(name),
    }
}

/// Reads a source. Returns `None` if there is none of this name.
fn source(name: &str) -> Option<Result<IdentitySource, HashedIdentity>> {
    match name {
        "ip" => return Some(Ok(IdentitySource::Client)),
        "user" => return Some(Ok(IdentitySource::Application)),
        _ => {}
    }
    let (kind, name) = name.split_once('.')?;
    // A name that is too long is hashed in keys, like a value.
    let is_hashed = is_hash(name);
    let name = percent_decode_str(name).decode_utf8().ok()?;
    let part = |part| IdentitySource::RequestPart(part, name.as_ref().into());
    let source = match kind {
        "header" => {
            let name = name.to_ascii_lowercase().as_str().into();
            IdentitySource::RequestPart(RequestPart::Header, name)
        }
        "cookie" => part(RequestPart::Cookie),
        "path" => part(RequestPart::Path),
        "query" => part(RequestPart::Query),
        "jwt" => IdentitySource::Claim(name.as_ref().into()),
        "session" => IdentitySource::Session(name.as_ref().into()),
        _ => return None,
    };
    Some(if is_hashed {
        Err(HashedIdentity)
    } else {
        Ok(source)
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
