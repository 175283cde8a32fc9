//! Finds identities by the text that a person writes for one. Tools that look at a store from
//! outside call it; no request does.

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use super::{DEFAULT_IPV6_PREFIX, Identity, network, parse};

impl Identity {
    /// Returns the texts that keys may have for the identity that is written like this, as
    /// `Identity` writes it by default first.
    ///
    /// It reads a text as keys have it (`user=42`, `header.x-api-key=#…`,
    /// `(ip=192.0.2.1&user=42)`), an address (`ip=` may be left out), `global`, a source with its
    /// value in the clear (`header.X-Api-Key=k-8a2f`), and any other text as an identity of the
    /// application. Several texts stand for one identity where settings choose between them:
    /// `plain_keys` and `ipv6_prefix`.
    #[doc(hidden)]
    #[must_use]
    pub fn key_texts(written: &str) -> Vec<String> {
        if let Some(combinations) = combinations(written) {
            let mut texts: Vec<_> = combinations.iter().flat_map(texts).collect();
            // The text may be that of a service with plain keys, or have a hash.
            if texts.iter().all(|text| text != written) {
                texts.push(written.to_owned());
            }
            return texts;
        }
        let address = written.strip_prefix("ip=").unwrap_or(written);
        if let Ok(address) = address.parse() {
            return networks(address);
        }
        let Some((source, value)) = source_of(written) else {
            return texts(&Identity::new(written));
        };
        let source = match source.strip_prefix("header.") {
            Some(name) => format!("header.{}", name.to_ascii_lowercase()),
            None => source.to_owned(),
        };
        let rest = &written[source.len()..];
        let as_in_keys = format!("{source}{rest}");
        let raw = value.and_then(|value| identity_of(&source, value));
        let is_hashed = rest.starts_with("=#");
        match raw {
            Some(identity) if !is_key_text(rest) => texts(&identity),
            // The text is the value in the clear, or that of a service with plain keys.
            Some(identity) if may_be_hashed(&source) && !is_hashed => {
                let mut texts = texts(&identity);
                if !texts.contains(&as_in_keys) {
                    texts.push(as_in_keys);
                }
                texts
            }
            _ => vec![as_in_keys],
        }
    }
}

impl Identity {
    /// Returns the identities that this text may stand for, by which a store that hashes its keys
    /// can be asked. There are none for a text with a hash in it.
    pub(super) fn candidates(written: &str) -> Vec<Self> {
        if let Some(combinations) = combinations(written) {
            return combinations;
        }
        let mut all = Self::of_one_source(written);
        // The text of a key may also have contexts, and a client in place of a missing value.
        for identity in parsed(written) {
            if !all.contains(&identity) {
                all.push(identity);
            }
        }
        all
    }

    /// Returns the identities of this text if it is a source with a value.
    fn of_one_source(written: &str) -> Vec<Self> {
        let address = written.strip_prefix("ip=").unwrap_or(written);
        if let Ok(address) = address.parse() {
            return networks_of(address);
        }
        let Some((source, value)) = source_of(written) else {
            return vec![Self::new(written)];
        };
        let source = match source.strip_prefix("header.") {
            Some(name) => format!("header.{}", name.to_ascii_lowercase()),
            None => source.to_owned(),
        };
        let Some(value) = value else {
            return match written {
                "global" => vec![Self::global()],
                _ => Vec::new(),
            };
        };
        if source == "ip" {
            // The text is a network as keys have it, or `none`.
            return match value {
                "none" => vec![Self::client(None)],
                value => {
                    let groups: Vec<&str> = value.split('-').collect();
                    let address = groups.join(":").parse();
                    address.map(networks_of).unwrap_or_default()
                }
            };
        }
        let plain = unescaped(value);
        let values = std::iter::once(value).chain(plain.as_deref());
        values
            .filter_map(|value| identity_of(&source, value))
            .collect()
    }
}

/// Returns the combinations that this text may stand for: none if it has a hash in it, and `None`
/// if it is no combination.
fn combinations(written: &str) -> Option<Vec<Identity>> {
    let is_combination = parse::combination(written, DEFAULT_IPV6_PREFIX).is_some();
    is_combination.then(|| parsed(written))
}

/// Returns the identities that this text leads to, whatever networks addresses are counted by.
fn parsed(written: &str) -> Vec<Identity> {
    distinct(prefixes().filter_map(|prefix| Identity::parse(written, prefix).ok()))
}

/// Returns the text without the escapes of keys; `None` if it has none, or others.
fn unescaped(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, others)) = rest.split_first() {
        let (byte, others) = match (first, others) {
            (b'%', [high, low, others @ ..]) => {
                let digit = |digit: u8| char::from(digit).to_digit(16);
                let byte = digit(*high)? * 16 + digit(*low)?;
                (u8::try_from(byte).ok()?, others)
            }
            _ => (first, others),
        };
        bytes.push(byte);
        rest = others;
    }
    String::from_utf8(bytes).ok().filter(|plain| plain != text)
}

/// Splits a text into a known source and its value. The value is `None` where it is no text: in
/// `global`, and for a client that is counted in place of a missing value (`header.x!192.0.2.1`).
fn source_of(written: &str) -> Option<(&str, Option<&str>)> {
    if written == "global" || written.starts_with("global;") {
        return Some(("global", None));
    }
    let (source, value) = match written.split_once(['=', '!']) {
        Some((source, value)) if written[source.len()..].starts_with('=') => (source, Some(value)),
        Some((source, _)) => (source, None),
        None => return None,
    };
    let has_name = ["header.", "cookie.", "path.", "query.", "jwt.", "session."]
        .iter()
        .any(|start| source.starts_with(start));
    (has_name || matches!(source, "ip" | "user")).then_some((source, value))
}

/// Returns the identity of a source and a value in the clear.
fn identity_of(source: &str, value: &str) -> Option<Identity> {
    if source == "user" {
        return Some(Identity::new(value));
    }
    let (kind, name) = source.split_once('.')?;
    Some(match kind {
        "header" => Identity::header(name, value),
        "cookie" => Identity::cookie(name, value),
        "path" => Identity::path(name, value),
        "query" => Identity::query(name, value),
        "jwt" => Identity::token_claim(name, value),
        "session" => Identity::session_key(name, value),
        _ => return None,
    })
}

/// Returns whether keys have the values of this source as hashes by default.
fn may_be_hashed(source: &str) -> bool {
    ["header.", "cookie.", "query."]
        .iter()
        .any(|start| source.starts_with(start))
}

/// Returns whether a key may have this text behind the name of a source.
fn is_key_text(rest: &str) -> bool {
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        let is_fine = match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()];
                let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
                digits
                    .iter()
                    .all(|byte| byte.as_ref().is_some_and(is_digit))
            }
            b'=' | b'!' | b';' | b'#' => true,
            byte => byte.is_ascii_alphanumeric() || b"-._~@+/,".contains(&byte),
        };
        if !is_fine {
            return false;
        }
    }
    true
}

/// Returns the text by default, and the one with plain keys.
fn texts(identity: &Identity) -> Vec<String> {
    let mut texts = vec![String::new(); 2];
    for (text, plain) in texts.iter_mut().zip([false, true]) {
        // Writing to a `String` cannot fail.
        let _ = identity.write_key(text, plain);
    }
    texts.dedup();
    texts
}

/// Returns the texts of the networks that an address may be counted by: its own by default, then
/// the others.
fn networks(address: IpAddr) -> Vec<String> {
    let identities = networks_of(address);
    identities.iter().map(ToString::to_string).collect()
}

/// Returns the networks that an address may be counted by.
fn networks_of(address: IpAddr) -> Vec<Identity> {
    distinct(prefixes().map(|prefix| Identity::client(Some(network(address, prefix)))))
}

/// Returns the numbers of bits that IPv6 addresses may be counted by, the default first.
fn prefixes() -> impl Iterator<Item = u8> {
    std::iter::once(DEFAULT_IPV6_PREFIX).chain((1..=128).rev())
}

/// Returns the first identity of each text.
fn distinct(identities: impl Iterator<Item = Identity>) -> Vec<Identity> {
    let mut all: Vec<(String, Identity)> = Vec::new();
    for identity in identities {
        let text = identity.to_string();
        if all.iter().all(|(known, _)| *known != text) {
            all.push((text, identity));
        }
    }
    all.into_iter().map(|(_, identity)| identity).collect()
}
