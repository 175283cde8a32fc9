//! Specs of rules: checked, and without anything of HTTP.

use std::{fmt, time::Duration};

use crate::{
    limit::{AnyLimit, Limit, LimitOptions, NamedLimit},
    network::NetworkSet,
};

/// One rule of a configuration.
#[derive(Clone, Debug, Default)]
pub struct RouteRuleSpec {
    pub paths: PathsSpec,
    /// The limits; if there are none, the requests of the rule are not limited.
    pub limits: Vec<LimitSpec>,
}

/// The requests that a rule matches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathsSpec {
    /// The regex over the path.
    pub path: Option<String>,
    /// The regex over the pattern of the route.
    pub pattern: Option<String>,
    /// The names of methods, in capitals; empty for all methods.
    pub methods: Vec<String>,
    /// The networks of its clients; `None` for all clients.
    pub networks: Option<NetworkSet>,
    pub name: Option<String>,
    pub shadow: bool,
}

/// One limit of a rule, and what it is for.
#[derive(Clone, Debug, Default)]
pub struct LimitSpec {
    /// The limit; `None` if the group is unlimited.
    pub limit: Option<NamedLimit>,
    /// The name of the limit in the file, if it is a named limit.
    pub limit_name: Option<String>,
    /// Options of the rule's entry, which override those of the limit.
    pub options: LimitOptions,
    pub group: Option<String>,
    pub identifier: Option<IdentifierSpec>,
}

/// The identifier of a limit. Its `Display` is the text that a file has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentifierSpec {
    Ip,
    Global,
    Header(String),
    Cookie(String),
    Query(String),
    /// An identifier of the application, by the name that it was given.
    Named(String),
    /// A combination of identifiers, none of which is one itself.
    All(Vec<IdentifierSpec>),
}

impl LimitSpec {
    /// Makes the limit of all identities without a group.
    pub fn new(limit: NamedLimit) -> Self {
        Self {
            limit: Some(limit),
            ..Self::default()
        }
    }

    /// Adds what the rule says for limits without an identifier or a wait of their own.
    #[must_use]
    pub fn or(mut self, identifier: Option<&IdentifierSpec>, max_wait: Option<Duration>) -> Self {
        self.identifier = self.identifier.or_else(|| identifier.cloned());
        let is_open = |limit: &NamedLimit| limit.options.max_wait.is_none();
        if self.limit.as_ref().is_some_and(is_open) {
            self.options.max_wait = self.options.max_wait.or(max_wait);
        }
        self
    }

    /// Returns the options in force: those of the entry, else those of the limit.
    #[must_use]
    pub fn options_in_force(&self) -> LimitOptions {
        let of_limit = self.limit.as_ref().map(|limit| &limit.options);
        match of_limit {
            Some(of_limit) => self.options.or(of_limit),
            None => self.options.clone(),
        }
    }

    /// Returns the limit, if it is a rate.
    #[must_use]
    pub fn rate(&self) -> Option<&Limit> {
        match &self.limit.as_ref()?.limit {
            AnyLimit::Rate(limit) => Some(limit),
            AnyLimit::Concurrency(_) => None,
        }
    }

    #[must_use]
    pub fn is_concurrency(&self) -> bool {
        let limit = self.limit.as_ref();
        limit.is_some_and(|limit| matches!(limit.limit, AnyLimit::Concurrency(_)))
    }
}

impl IdentifierSpec {
    /// Whether both read the same part of a request. Names of headers are case-insensitive.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Header(one), Self::Header(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for IdentifierSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip => f.write_str("ip"),
            Self::Global => f.write_str("global"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Named(name) => f.write_str(name),
            Self::All(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if index == 0 { "(" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}
