//! Foreign rate-limit headers: those that a response already has, from the handler or from an
//! upstream service whose response it passes on.
//!
//! A client may read any of them, so each kind of header on the response shows the strictest limit.
//! A set is either foreign or ours as a whole, and never a mixture.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

pub(super) type Names = [HeaderName; 3];

/// The limit, the remaining quota, and when the quota is whole again.
pub(super) const X: Names = [
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
];
/// Limit, remaining and reset of [draft-ietf-httpapi-ratelimit-headers-06][draft] and older drafts.
/// They are corrected where a response has them, and never added.
///
/// [draft]: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-06
pub(super) const OLD_DRAFTS: Names = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];
pub(super) const IETF: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const IETF_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The foreign rate-limit headers of a response.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForeignHeaders {
    pub(super) x: HeaderTriple,
    pub(super) old_drafts: HeaderTriple,
    pub(super) lists: Option<Lists>,
}

/// The state of three headers that belong together.
#[derive(Clone, Debug, Default)]
pub(super) enum HeaderTriple {
    #[default]
    Absent,
    /// The headers cannot be understood, so they are replaced.
    Vague,
    Understood {
        remaining: u64,
        values: [Option<HeaderValue>; 3],
    },
}

/// The lists `RateLimit-Policy` and `RateLimit`, whose members are distinguished by names.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    pub(super) policies: Vec<Member>,
    pub(super) states: Vec<Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// The name, in its quotes.
    pub(super) name: String,
    /// The whole member, with its parameters.
    pub(super) text: String,
}

impl ForeignHeaders {
    /// Reads the foreign headers. `None` if there are none, as on most responses.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Box<Self>> {
        let concerns = |name: &HeaderName| {
            let name = name.as_str();
            name.starts_with("ratelimit") || name.starts_with("x-ratelimit-")
        };
        headers.keys().any(concerns).then(|| {
            Box::new(Self {
                x: HeaderTriple::read(headers, &X),
                old_drafts: HeaderTriple::read(headers, &OLD_DRAFTS),
                lists: Lists::read(headers),
            })
        })
    }
}

impl HeaderTriple {
    fn read(headers: &HeaderMap, names: &Names) -> Self {
        if !names.iter().any(|name| headers.contains_key(name)) {
            return Self::Absent;
        }
        let [limit, remaining, reset] = names.each_ref().map(|name| only(headers, name));
        let (Ok(limit), Ok(Some(remaining)), Ok(reset)) = (limit, remaining, reset) else {
            return Self::Vague;
        };
        match number(&remaining) {
            Some(number) => Self::Understood {
                remaining: number,
                values: [limit, Some(remaining), reset],
            },
            None => Self::Vague,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Writes the foreign set if less remains by it, else ours; nothing of the other set stays.
    pub(super) fn write(
        &self,
        headers: &mut HeaderMap,
        names: Names,
        remaining: u64,
        ours: [HeaderValue; 3],
    ) {
        match self {
            Self::Understood {
                remaining: theirs,
                values,
            } if *theirs < remaining => {
                for (name, value) in names.into_iter().zip(values) {
                    match value {
                        Some(value) => drop(headers.insert(name, value.clone())),
                        None => drop(headers.remove(name)),
                    }
                }
            }
            _ => {
                for (name, value) in names.into_iter().zip(ours) {
                    headers.insert(name, value);
                }
            }
        }
    }
}

impl Lists {
    /// Reads the lists. They count as empty if they are malformed, as those of older drafts are:
    /// a client of this draft could not use them.
    fn read(headers: &HeaderMap) -> Option<Self> {
        let is_there = headers.contains_key(IETF) || headers.contains_key(IETF_POLICY);
        let read = || {
            Some(Self {
                policies: members(headers, &IETF_POLICY)?,
                states: members(headers, &IETF)?,
            })
        };
        is_there.then(|| read().unwrap_or_default())
    }
}

/// The only value of a header. `Err` if the header stands there several times.
fn only(headers: &HeaderMap, name: &HeaderName) -> Result<Option<HeaderValue>, ()> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value.cloned()),
        _ => Err(()),
    }
}

pub(super) fn number(value: &HeaderValue) -> Option<u64> {
    let text = value.to_str().ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The members of a list of strings, which may be spread over several fields: see
/// [RFC 9651, section 3.1](https://www.rfc-editor.org/rfc/rfc9651#section-3.1). `None` if it is
/// malformed.
fn members(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<Member>> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        let mut rest = value.to_str().ok()?;
        while !rest.trim().is_empty() {
            let end = unquoted_comma(rest)?;
            all.push(member(rest[..end].trim())?);
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }
    Some(all)
}

/// The index of the first comma outside of quotes, or of the end. `None` if a string has no end.
fn unquoted_comma(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b',' if !quoted => return Some(at),
            _ => {}
        }
    }
    (!quoted).then_some(text.len())
}

fn member(text: &str) -> Option<Member> {
    let inside = text.strip_prefix('"')?;
    let mut escaped = false;
    let length = inside.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    let (name, parameters) = text.split_at(length + 2);
    let fits = parameters.is_empty() || parameters.starts_with(';');
    fits.then(|| Member {
        name: name.to_owned(),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(lines: &[&'static str]) -> Option<Vec<String>> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IETF, HeaderValue::from_static(line));
        }
        let members = members(&headers, &IETF)?;
        Some(members.into_iter().map(|member| member.name).collect())
    }

    #[test]
    fn members_are_distinguished_whatever_their_names() {
        for (lines, names) in [
            (&["\"a\";r=1;t=2, \"b\""][..], &["\"a\"", "\"b\""][..]),
            (&["\"a\"", "\"b\";r=1"], &["\"a\"", "\"b\""]),
            (
                &["\"a,b\";r=1,\"c\\\"d\";q=\"x,y\""],
                &["\"a,b\"", "\"c\\\"d\""],
            ),
            (&["\"a\\\\\", \"b\""], &["\"a\\\\\"", "\"b\""]),
            (&[""], &[]),
        ] {
            let expected = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(list(lines), Some(expected), "{lines:?}");
        }
        for line in [
            "limit=1, remaining=0",
            "\"a",
            "\"a\"b",
            "a;r=1",
            "\"a\",,\"b\"",
            "100, 100;w=60",
        ] {
            assert_eq!(list(&[line]), None, "{line}");
        }
    }
}
