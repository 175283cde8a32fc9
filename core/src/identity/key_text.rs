//! Writes an identity as it appears in keys of the store: readable if short, plain and not a
//! secret, otherwise hashed.
//!
//! # Invariant
//!
//! No value that a client sends gives the text of another identity. Groups are not part of the
//! text.

use std::{
    fmt::{self, Write},
    net::IpAddr,
};

use sha2::{Digest, Sha256};

use super::{Identity, IdentitySource, IdentityValue, RequestPart};

/// The longest readable value, in bytes after escaping.
const READABLE: usize = 64;

/// Writes the identity: `ip=192.0.2.1`, `user=42`, `path.id=42`, `jwt.sub=42`, `session.user=42`. A
/// missing value is written as `header.x-api-key!192.0.2.1`, a context as `user=42;room`, a
/// combination as `(ip=192.0.2.1&user=42)`. The signs `;`, `&`, `(` and `)` inside a part are
/// escaped. A value that may be a secret is hashed, `header.x-api-key=#…`, unless `plain` is set.
pub(super) fn write(out: &mut impl Write, identity: &Identity, plain: bool) -> fmt::Result {
    write_parts(out, identity.source(), identity.value(), plain)
}

fn write_parts(
    out: &mut impl Write,
    source: &IdentitySource,
    value: &IdentityValue,
    plain: bool,
) -> fmt::Result {
    if let (IdentitySource::All(sources), IdentityValue::All(values)) = (source, value) {
        return write_all(out, sources.iter().zip(values), |out, (source, value)| {
            write_parts(out, source, value, plain)
        });
    }
    match source {
        IdentitySource::Context(outside) => write_parts(out, &outside.0, &outside.1, plain)?,
        source => write_source(out, source)?,
    }
    match (source, value) {
        // The values of a combination stand in its parts.
        (_, IdentityValue::Single | IdentityValue::All(_)) => Ok(()),
        (IdentitySource::Context(_), IdentityValue::Bytes(key)) => {
            out.write_char(';')?;
            write_plain(out, key)
        }
        (source, IdentityValue::Bytes(bytes)) => {
            out.write_char('=')?;
            if plain || !may_be_secret(source) {
                write_plain(out, bytes)
            } else {
                write_hash(out, bytes)
            }
        }
        (source, IdentityValue::Client(network)) => {
            out.write_char(if *source == IdentitySource::Client {
                '='
            } else {
                '!'
            })?;
            match network {
                None => out.write_str("none"),
                // The address has dashes instead of colons, because `:` separates the parts of a
                // key.
                Some(network) => write_dashed(out, network.addr()),
            }
        }
    }
}

/// Writes the source without a value.
fn write_source(out: &mut impl Write, source: &IdentitySource) -> fmt::Result {
    let (kind, name) = match source {
        IdentitySource::Global => return out.write_str("global"),
        IdentitySource::Client => return out.write_str("ip"),
        IdentitySource::Application => return out.write_str("user"),
        // A context is written by its identity, which is around its key.
        IdentitySource::Context(outside) => return write_source(out, &outside.0),
        IdentitySource::All(sources) => {
            return write_all(out, sources, |out, one| write_source(out, one));
        }
        IdentitySource::RequestPart(RequestPart::Header, name) => ("header.", name),
        IdentitySource::RequestPart(RequestPart::Cookie, name) => ("cookie.", name),
        IdentitySource::RequestPart(RequestPart::Path, name) => ("path.", name),
        IdentitySource::RequestPart(RequestPart::Query, name) => ("query.", name),
        IdentitySource::Claim(name) => ("jwt.", name),
        IdentitySource::Session(key) => ("session.", key),
    };
    out.write_str(kind)?;
    write_plain(out, name.as_bytes())
}

/// Writes the parts of a combination.
fn write_all<W: Write, T>(
    out: &mut W,
    parts: impl IntoIterator<Item = T>,
    write: impl Fn(&mut W, T) -> fmt::Result,
) -> fmt::Result {
    out.write_char('(')?;
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            out.write_char('&')?;
        }
        write(out, part)?;
    }
    out.write_char(')')
}

/// Returns whether the value may be a credential, which a reader of the keys could use. The values
/// of headers, cookies and query parameters may be one. A path segment names a resource; a session
/// or a verified token names a user.
fn may_be_secret(source: &IdentitySource) -> bool {
    matches!(
        source,
        IdentitySource::RequestPart(
            RequestPart::Header | RequestPart::Cookie | RequestPart::Query,
            _
        )
    )
}

fn write_dashed(out: &mut impl Write, address: IpAddr) -> fmt::Result {
    match address {
        // The address is written digit by digit, because most identities are such addresses and
        // formatting is slow.
        IpAddr::V4(address) => {
            let [first, rest @ ..] = address.octets();
            let mut digits = itoa::Buffer::new();
            out.write_str(digits.format(first))?;
            rest.iter().try_for_each(|part| {
                out.write_char('.')?;
                out.write_str(digits.format(*part))
            })
        }
        IpAddr::V6(address) => {
            let [first, rest @ ..] = address.segments();
            write!(out, "{first:x}")?;
            rest.iter().try_for_each(|part| write!(out, "-{part:x}"))
        }
    }
}

/// Writes the first 128 bits of a SHA-256 hash. Only guessing the value reverses it.
fn write_hash(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // The digits are written by hand, because formatting byte by byte would take longer than the
    // hash.
    let mut text = [b'#'; 33];
    let hash = Sha256::digest(bytes);
    for (byte, digits) in hash.iter().zip(text[1..].chunks_exact_mut(2)) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 15)];
    }
    out.write_str(std::str::from_utf8(&text).unwrap_or_default())
}

/// Writes the bytes, percent-escaped except for letters, digits and a few signs. Hashes what is
/// longer than `READABLE`. `#` is always escaped, so no text looks like a hash.
fn write_plain(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@+/,".contains(&byte);
    let escaped = bytes.iter().filter(|byte| !is_plain(**byte)).count();
    if bytes.len() + 2 * escaped > READABLE {
        return write_hash(out, bytes);
    }
    if escaped == 0
        && let Ok(plain) = std::str::from_utf8(bytes)
    {
        return out.write_str(plain);
    }
    bytes.iter().try_for_each(|byte| {
        if is_plain(*byte) {
            out.write_char(char::from(*byte))
        } else {
            write!(out, "%{byte:02X}")
        }
    })
}
