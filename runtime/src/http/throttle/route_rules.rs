//! Entries of the middleware: paths and the rules for them, validated and named.

use actix_throttle_core::intern::intern;

use super::{paths::Paths, validate::check};
use crate::{engine::error::InitError, http::rule::Rule};

/// An entry: the rules for requests that match its paths.
#[derive(Clone, Debug)]
pub(super) struct RouteRules {
    pub(super) paths: Paths,
    /// The name and zone of the entry's limits that have none of their own.
    label: &'static str,
    /// Empty: the requests are not limited.
    rules: Vec<Rule>,
}

impl RouteRules {
    /// Creates an entry that comes after the entries `before`.
    pub(super) fn new(
        paths: Paths,
        rules: impl IntoIterator<Item = Rule>,
        before: &[Self],
    ) -> Result<Self, InitError> {
        let label = label(&paths, before)?;
        let shadow = paths.is_shadow();
        let mut limits = 0;
        let named = rules.into_iter().map(|rule| {
            let rule = if shadow { rule.shadow() } else { rule };
            let has_limit = rule.static_limit().is_some() || rule.concurrency_limit().is_some();
            limits += usize::from(has_limit);
            let name = match limits {
                0 | 1 => label,
                index => intern(&format!("{label}-{index}")),
            };
            let rule =
                rule.map_concurrency(|concurrency| concurrency.with_default_name(name, label));
            rule.map_limit(|limit| {
                let limit = limit.with_default_name(label, name);
                if shadow { limit.shadow() } else { limit }
            })
        });
        let rules: Vec<Rule> = named.collect();
        check(label, shadow, &rules)?;
        Ok(Self {
            paths,
            label,
            rules,
        })
    }

    /// Creates an entry whose requests are not limited.
    pub(super) fn exempt(paths: Paths) -> Result<Self, InitError> {
        if paths.is_shadow() {
            return Err(InitError::settings(
                "an exempt entry of a `Throttle` cannot be a shadow: there is nothing to count",
            ));
        }
        Ok(Self {
            paths,
            label: "",
            rules: Vec::new(),
        })
    }

    pub(super) fn is_exempt(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(super) fn is_shadow(&self) -> bool {
        self.paths.is_shadow()
    }
}

/// The name of an entry. If an earlier entry has the same default name, a number is added, so that
/// no two entries share a counter by accident.
fn label(paths: &Paths, before: &[RouteRules]) -> Result<&'static str, InitError> {
    // Shadows have counters of their own, so a candidate may have the name of what it is to
    // replace.
    let is_taken = |label: &str| {
        let mut others = before
            .iter()
            .filter(|other| other.is_shadow() == paths.is_shadow());
        others.any(|other| other.label == label)
    };
    if let Some(name) = paths.own_name() {
        if is_taken(name) {
            return Err(InitError::settings(format!(
                "two entries of a `Throttle` are named `{name}`, and would count together; name one \
                 of them otherwise, or give the limits that are to share a counter a `zone`"
            )));
        }
        return Ok(intern(name));
    }
    // Names are printable ASCII; a regex need not be.
    let text: String = paths.label().chars().map(printable).collect();
    let numbered = (2..).map(|number| format!("{text} #{number}"));
    let mut labels = std::iter::once(text.clone()).chain(numbered);
    let free = labels.find(|label| !is_taken(label));
    Ok(intern(&free.unwrap_or(text)))
}

fn printable(character: char) -> String {
    match character {
        ' '..='~' => character.to_string(),
        other => other.escape_default().to_string(),
    }
}
