//! Reads the text of a key, for tools that look at a Redis without the application. The inverse of
//! [`Key::text`](super::Key::text); nothing outside of this module and its parent knows how a key
//! is written.

use super::KeyKind;
use crate::{
    calendar::Period,
    limit::{Algorithm, Refill},
    text::word::Word,
    zone,
};

/// The parts of a key's text: a counter, the permits of a concurrency limit, or a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyText<'t> {
    /// The identity as keys show it, escaped or hashed.
    pub identity: &'t str,
    pub zone: &'t str,
    pub kind: KeyKind,
}

impl<'t> KeyText<'t> {
    /// Reads a key under this prefix. Returns `None` if it is not one of this library's, and for
    /// the idempotency key of a call.
    #[must_use]
    pub fn parse(text: &'t str, prefix: &str) -> Option<Self> {
        let tagged = text.strip_prefix(prefix)?.strip_prefix(":{")?;
        // The braces of an identity are escaped, so the first one ends it.
        let (identity, rest) = tagged.split_once("}:")?;
        if let Some(call) = rest.strip_prefix("once:")
            && call.len() == 16
            && call.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return None;
        }
        // The limit's part has no colon; a zone may have some.
        let (zone, limit) = rest.rsplit_once(':')?;
        Some(Self {
            identity,
            zone,
            kind: KeyKind::parse(limit)?,
        })
    }
}

/// Checks the prefix of keys. A brace in it would be the hash tag of Redis Cluster.
///
/// # Errors
///
/// If keys must not have this prefix.
pub fn check_prefix(prefix: &str) -> Result<(), &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
    if !prefix.is_empty() && prefix.bytes().all(is_plain) {
        Ok(())
    } else {
        Err("`prefix` must be printable ASCII without braces or spaces, and not empty")
    }
}

/// Returns the text of the key of a block, for an identity as keys show it.
#[must_use]
pub fn block_text(prefix: &str, identity: &str, zone: &str, shadow: bool) -> String {
    let mut text = format!("{prefix}:{{{identity}}}:");
    zone::write(zone, &mut text);
    text.push(':');
    KeyKind::Block { shadow }.write(&mut text);
    text
}

/// Returns the key of the marker that must be there while an identity is blocked.
#[must_use]
pub fn block_marker_text(prefix: &str) -> String {
    format!("{prefix}:blocks")
}

/// Returns the pattern of `SCAN` for all keys under a prefix whose identity begins with this text;
/// if `whole`, for those of this identity alone. A zone, written as keys have it, narrows them.
pub(super) fn scan_pattern_in(
    prefix: &str,
    identity: &str,
    whole: bool,
    zone: Option<&str>,
) -> String {
    let mut pattern = String::new();
    escape_glob(prefix, &mut pattern);
    pattern.push_str(":{");
    escape_glob(identity, &mut pattern);
    pattern.push_str(if whole { "}:" } else { "*}:" });
    if let Some(zone) = zone {
        escape_glob(zone, &mut pattern);
        pattern.push(':');
    }
    pattern.push('*');
    pattern
}

/// Escapes what has a meaning in a pattern of Redis.
fn escape_glob(text: &str, pattern: &mut String) {
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
}

impl KeyKind {
    /// Reads the limit's part of a key, which [`write`](Self::write) has written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letter = text.chars().next()?;
        let window = text.strip_prefix(letter)?;
        let shadow = letter.is_ascii_uppercase();
        let (algorithm, refill) = match (letter.to_ascii_lowercase(), window) {
            ('x', "") => return Some(Self::Block { shadow }),
            ('p', "") => return Some(Self::PermitTable { shadow }),
            ('q', period) => {
                let period = Period::of_word(period)?;
                return Some(Self::Calendar { period, shadow });
            }
            ('l', _) => (Algorithm::SlidingWindow, Refill::Greedy),
            ('c', _) => (Algorithm::SlidingWindowCounter, Refill::Greedy),
            ('f', _) => (Algorithm::FixedWindow, Refill::Greedy),
            ('t', _) => (Algorithm::TokenBucket, Refill::Greedy),
            ('i', _) => (Algorithm::TokenBucket, Refill::Interval),
            ('b', _) => (Algorithm::LeakyBucket, Refill::Greedy),
            _ => return None,
        };
        let digits = window.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let unit = match window.strip_prefix(digits)? {
            "" => 1_000_000,
            "m" => 1_000,
            "u" => 1,
            _ => return None,
        };
        // Only digits are valid: `parse` would take a sign, too.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = digits.parse::<u64>().ok()?;
        Some(Self::Counter {
            algorithm,
            refill,
            window: number.checked_mul(unit)?,
            shadow,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        identity::Identity,
        key::{Key, Naming},
        limit::{Concurrency, Limit},
    };

    const PREFIX: &str = "shop:eu";

    #[test]
    fn periods_are_read_as_they_were_written() {
        for period in Period::ALL {
            for shadow in [false, true] {
                let kind = KeyKind::Calendar {
                    period: *period,
                    shadow,
                };
                let mut text = String::new();
                kind.write(&mut text);
                assert_eq!(KeyKind::parse(&text), Some(kind));
            }
        }
    }

    fn kinds() -> Vec<KeyKind> {
        let mut kinds = Vec::new();
        for shadow in [false, true] {
            kinds.extend([KeyKind::PermitTable { shadow }, KeyKind::Block { shadow }]);
            for window in [1, 1_500, 60_000_000, 31_622_400_000_000] {
                for (algorithm, refill) in [
                    (Algorithm::SlidingWindow, Refill::Greedy),
                    (Algorithm::SlidingWindowCounter, Refill::Greedy),
                    (Algorithm::FixedWindow, Refill::Greedy),
                    (Algorithm::TokenBucket, Refill::Greedy),
                    (Algorithm::TokenBucket, Refill::Interval),
                    (Algorithm::LeakyBucket, Refill::Greedy),
                ] {
                    kinds.push(KeyKind::Counter {
                        algorithm,
                        refill,
                        window,
                        shadow,
                    });
                }
            }
        }
        kinds
    }

    #[test]
    fn text_of_each_kind_is_read_back() {
        let naming = Naming {
            prefix: PREFIX.into(),
            plain: false,
        };
        let hostile = Identity::new("a}:{ip=1.2.3.4\n:b").context("room;7");
        for identity in [Identity::new("42"), Identity::global(), hostile] {
            for kind in kinds() {
                let zone = "app::v1::login";
                let key = Key {
                    identity: &identity,
                    zone,
                    kind,
                };
                let text = key.text(&naming);
                let expected = KeyText {
                    identity: &identity.to_string(),
                    zone,
                    kind,
                };
                assert_eq!(KeyText::parse(&text, PREFIX), Some(expected), "{text}");
            }
            let limit = Limit::per_second(1).zone("once");
            let once = Key::counter(&identity, &limit).idempotency_key(&naming, 7);
            assert_eq!(KeyText::parse(&once, PREFIX), None, "{once}");
        }
    }

    #[test]
    fn key_of_a_block_is_the_one_that_the_script_reads() {
        let naming = Naming {
            prefix: PREFIX.into(),
            plain: false,
        };
        let user = Identity::new("ann@x");
        for (shadow, limit) in [
            (false, Limit::per_second(1).zone("a:b")),
            (true, Limit::per_second(1).zone("a:b").shadow()),
        ] {
            let key = Key::counter(&user, &limit).block().text(&naming);
            assert_eq!(block_text(PREFIX, &user.to_string(), "a:b", shadow), key);
        }
        let permits = Concurrency::new(1)
            .expiry(Duration::from_secs(1))
            .zone("a:b");
        let key = Key::permits(&user, &permits).block().text(&naming);
        assert_eq!(block_text(PREFIX, &user.to_string(), "a:b", false), key);
    }

    #[test]
    fn keys_of_others_are_not_read() {
        for text in [
            "",
            "shop:eu",
            "shop:eu:cart:42",
            "shop:eu:{user=42}",
            "shop:eu:{user=42}:z",
            "shop:eu:{user=42}:z:l",
            "shop:eu:{user=42}:z:log-60s",
            "shop:eu:{user=42}:z:l60s",
            "shop:eu:{user=42}:z:l+60",
            "shop:eu:{user=42}:z:l-60",
            "shop:eu:{user=42}:z:lm",
            "shop:eu:{user=42}:z:l99999999999999999999",
            "shop:eu:{user=42}:z:l18446744073709551615",
            "shop:eu:{user=42}:z:g60",
            "shop:eu:{user=42}:z:x60",
            "shop:eu:{user=42}:z:",
            "shop:eu:blocks",
            "shop:us:{user=42}:z:l60",
        ] {
            assert_eq!(KeyText::parse(text, PREFIX), None, "{text}");
        }
    }

    #[test]
    fn pattern_takes_no_wildcards_from_its_texts() {
        assert_eq!(
            scan_pattern_in("a*[b]?", "user=4^2", true, None),
            "a\\*\\[b\\]\\?:{user=4\\^2}:*"
        );
        assert_eq!(scan_pattern_in("p", "", false, None), "p:{*}:*");
        assert_eq!(scan_pattern_in("p", "", false, Some("z?")), "p:{*}:z\\?:*");
    }
}
