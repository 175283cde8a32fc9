//! The types of the table: what one argument takes, and where it may stand.

use std::{ops::RangeInclusive, time::Duration};

/// The scope in which an argument may stand: an attribute, or a table of the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `#[rate_limit]`.
    RateLimit,
    /// `#[concurrency_limit]`.
    ConcurrencyLimit,
    /// The top level of the file.
    File,
    /// An entry of `rules`.
    Rule,
    /// A rate, in `limits` or in a rule.
    Rate,
    /// A concurrency limit, in `limits` or in a rule.
    Concurrency,
    /// An entry of a rule's `limits`, beside the keys of its limit.
    RuleLimit,
    /// An entry of a rule's `limits` that names its limit: the options that it may set for it.
    NamedLimit,
    /// The table that `identifier` may be.
    Identifier,
}

/// The kind of value that an argument takes.
#[derive(Clone, Debug)]
pub enum ValueKind {
    /// An integer of this range.
    Count(RangeInclusive<u32>),
    /// A flag, which is off if it is absent.
    Flag,
    /// A string that is not empty.
    Text,
    /// A length of time in words, of this range.
    Duration(RangeInclusive<Duration>),
    /// A length of time in words, of this range of microseconds.
    Micros(RangeInclusive<u64>),
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// Times and window: `100/minute`.
    Rate,
    /// A set of response statuses: `5xx, 404`.
    StatusSet,
    /// The source of an identity.
    Identifier,
    /// The name of a limit in the configuration.
    LimitName,
    /// A list of strings.
    Texts,
    /// A list of networks and addresses.
    Networks,
    /// A list of these words.
    Words(&'static [&'static str]),
    /// A table of limits by name.
    Limits,
    /// A list of rules.
    Rules,
    /// A list of limits of a rule.
    RuleLimits,
    /// The path of a function or of a crate, in an attribute.
    Path,
}

/// An argument of the attributes, or a key of the configuration file, or both.
#[derive(Debug)]
pub struct Argument {
    pub name: &'static str,
    pub kind: ValueKind,
    pub scopes: &'static [Scope],
    /// An example of a value, as the attribute and TOML write it.
    pub example: &'static str,
    /// The default of the attributes, in words or as a value; empty if there is none.
    pub default: &'static str,
    /// Whether `default` is that of the file as well.
    pub is_default_in_file: bool,
    /// One line of documentation.
    pub doc: &'static str,
}

impl Argument {
    pub(super) const fn new(
        name: &'static str,
        kind: ValueKind,
        scopes: &'static [Scope],
        example: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            scopes,
            example,
            default: "",
            is_default_in_file: false,
            doc,
        }
    }

    /// Sets the default of the attributes and the file.
    pub(super) const fn or(mut self, default: &'static str) -> Self {
        self.default = default;
        self.is_default_in_file = true;
        self
    }

    /// Sets the default of the attributes alone.
    pub(super) const fn or_in_attributes(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    #[must_use]
    pub fn is_in(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}
