//! The attributes of this crate, and the arguments that each of them takes.

use std::fmt;

use actix_throttle_core::text::suggest::{hint, nearest};

use crate::name::ArgName;

/// An attribute of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttrName {
    RateLimit,
    ConcurrencyLimit,
}

/// A word that is not an argument of the attribute.
pub(crate) struct Unknown {
    pub(crate) message: String,
    /// The argument that the user most likely meant.
    pub(crate) meant: Option<ArgName>,
}

const ALL: [AttrName; 2] = [AttrName::RateLimit, AttrName::ConcurrencyLimit];

/// The names that other limiters use for arguments of both attributes, too different for a
/// comparison by letters.
const SYNONYMS: [(&str, ArgName); 8] = [
    ("key", ArgName::Identifier),
    ("key_by", ArgName::Identifier),
    ("by", ArgName::Identifier),
    ("skip", ArgName::SkipIf),
    ("dry_run", ArgName::Shadow),
    ("scope", ArgName::Zone),
    ("wait", ArgName::MaxWait),
    ("timeout", ArgName::MaxWait),
];

/// The names that other limiters, and `concurrency_limit`, use for arguments of `rate_limit`.
const RATE_SYNONYMS: [(&str, ArgName); 13] = [
    ("delay_after", ArgName::SlowAfter),
    ("delay", ArgName::SlowBy),
    ("max_delay", ArgName::SlowMax),
    ("max", ArgName::Times),
    ("rate", ArgName::Times),
    ("count", ArgName::Times),
    ("requests", ArgName::Times),
    ("per", ArgName::Seconds),
    ("period", ArgName::Seconds),
    ("window", ArgName::Seconds),
    ("interval", ArgName::Seconds),
    ("burst", ArgName::Capacity),
    ("weight", ArgName::Cost),
];

/// The names that other limiters, and `rate_limit`, use for arguments of `concurrency_limit`.
const CONCURRENCY_SYNONYMS: [(&str, ArgName); 12] = [
    ("times", ArgName::Max),
    ("limit", ArgName::Max),
    ("capacity", ArgName::Max),
    ("count", ArgName::Max),
    ("requests", ArgName::Max),
    ("permits", ArgName::Max),
    ("places", ArgName::Max),
    ("slots", ArgName::Max),
    ("concurrency", ArgName::Max),
    ("lease", ArgName::Expiry),
    ("lifetime", ArgName::Expiry),
    ("ttl", ArgName::Expiry),
];

impl AttrName {
    /// Returns the attribute of this crate that the path names, by its last segment.
    pub(crate) fn of(path: &syn::Path) -> Option<Self> {
        let last = path.segments.last()?;
        ALL.into_iter().find(|name| last.ident == name.as_str())
    }

    /// Returns a required argument of this attribute in correct form, for messages.
    pub(crate) fn example(self) -> String {
        let required = match self {
            Self::RateLimit => ArgName::Times,
            Self::ConcurrencyLimit => ArgName::Max,
        };
        required.example()
    }

    /// Returns the argument that this word names.
    pub(crate) fn argument(self, word: &str) -> Result<ArgName, Unknown> {
        let known = ArgName::parse(word);
        if let Some(name) = known.filter(|name| self.takes(*name)) {
            return Ok(name);
        }
        let own = ArgName::all().filter(|name| self.takes(*name));
        let valid: Vec<_> = own.map(ArgName::as_str).collect();
        let other = ALL
            .into_iter()
            .find(|other| known.is_some_and(|name| other.takes(name)));
        let meant = self.synonym(word).or_else(|| {
            // An argument of the other attribute is not misspelt, so a similar word would mislead.
            let near = nearest(word, valid.iter().copied()).filter(|_| other.is_none());
            near.and_then(ArgName::parse)
        });
        let hint = hint(meant.map(ArgName::as_str), &valid);
        let message = match other {
            Some(other) => format!("`{word}` is an argument of `{other}`{hint}"),
            None => format!("unknown argument `{word}`{hint}"),
        };
        Err(Unknown { message, meant })
    }

    fn takes(self, name: ArgName) -> bool {
        let whose = match name {
            ArgName::Max | ArgName::Expiry => Some(Self::ConcurrencyLimit),
            ArgName::Identifier
            | ArgName::Name
            | ArgName::Zone
            | ArgName::Group
            | ArgName::Unlimited
            | ArgName::MaxWait
            | ArgName::SkipIf
            | ArgName::OnLimited
            | ArgName::FailureMode
            | ArgName::Shadow
            | ArgName::Crate => None,
            _ => Some(Self::RateLimit),
        };
        whose.is_none_or(|whose| whose == self)
    }

    fn synonym(self, word: &str) -> Option<ArgName> {
        let own: &[_] = match self {
            Self::RateLimit => &RATE_SYNONYMS,
            Self::ConcurrencyLimit => &CONCURRENCY_SYNONYMS,
        };
        let mut words = own.iter().chain(&SYNONYMS);
        words
            .find(|(other, _)| *other == word)
            .map(|(_, ours)| *ours)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::ConcurrencyLimit => "concurrency_limit",
        }
    }
}

impl fmt::Display for AttrName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(attribute: AttrName, word: &str) -> Option<ArgName> {
        let unknown = attribute.argument(word).err();
        assert!(unknown.is_some(), "{word}");
        unknown.and_then(|unknown| unknown.meant)
    }

    #[test]
    fn words_from_elsewhere_lead_to_ours() {
        for (word, name) in [
            ("max", Some(ArgName::Times)),
            ("secs", Some(ArgName::Seconds)),
            ("ms", Some(ArgName::Milliseconds)),
            ("key", Some(ArgName::Identifier)),
            ("fail_open", Some(ArgName::FailureMode)),
            ("leas", Some(ArgName::Lease)),
            ("refund", Some(ArgName::RefundOn)),
            ("wait", Some(ArgName::MaxWait)),
            ("delay_after", Some(ArgName::SlowAfter)),
            ("flavour", None),
            ("expiry", None),
        ] {
            assert_eq!(meant(AttrName::RateLimit, word), name, "{word}");
        }
        for (word, name) in [
            ("times", Some(ArgName::Max)),
            ("permits", Some(ArgName::Max)),
            ("maximum", Some(ArgName::Max)),
            ("expires", Some(ArgName::Expiry)),
            ("ttl", Some(ArgName::Expiry)),
            ("key", Some(ArgName::Identifier)),
            ("maxwait", Some(ArgName::MaxWait)),
            ("seconds", None),
            ("cost", None),
        ] {
            assert_eq!(meant(AttrName::ConcurrencyLimit, word), name, "{word}");
        }
    }

    #[test]
    fn every_suggestion_is_taken() {
        for (attribute, own) in [
            (AttrName::RateLimit, &RATE_SYNONYMS[..]),
            (AttrName::ConcurrencyLimit, &CONCURRENCY_SYNONYMS),
        ] {
            for (word, name) in own.iter().chain(&SYNONYMS) {
                assert!(attribute.takes(*name), "{word}");
            }
        }
    }
}
