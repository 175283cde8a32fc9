//! What differs between two files, a line each.

use std::{collections::BTreeMap, fmt};

use super::{describe::Described, file::File};

/// What a reload has changed: a line for each thing that was added, removed or changed.
///
/// ```
/// use actix_throttle::{Config, Format};
///
/// # fn main() -> Result<(), actix_throttle::ConfigError> {
/// let config = Config::parse("limits.login = '5/minute'", Format::Toml)?;
/// let changes = config.replace("limits.login = '6/minute'")?;
/// assert_eq!(changes.to_string(), "limit login changed: 5/1m → 6/1m");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(Vec<String>);

impl Changes {
    /// Nothing has changed but, at most, how it is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each change.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn between(old: &File, new: &File) -> Self {
        let mut changes = Self::default();
        changes.compare("limit", &limits(old), &limits(new));
        let (before, after) = (rules(old), rules(new));
        changes.compare("rule", &by_label(&before), &by_label(&after));
        changes.compare_order(&before, &after);
        changes.compare("exempt", &exempt(old), &exempt(new));
        if old.skip_preflight != new.skip_preflight {
            let (old, new) = (old.skip_preflight, new.skip_preflight);
            changes
                .0
                .push(format!("skip_preflight changed: {old} → {new}"));
        }
        changes
    }

    fn compare(&mut self, what: &str, old: &Labelled, new: &Labelled) {
        let said = |text: &str| match text {
            "" => String::new(),
            text => format!(": {text}"),
        };
        for (label, text) in old {
            match new.get(label) {
                None => self.0.push(format!("{what} {label} removed{}", said(text))),
                Some(now) if now != text => self
                    .0
                    .push(format!("{what} {label} changed: {text} → {now}")),
                Some(_) => {}
            }
        }
        for (label, text) in new {
            if !old.contains_key(label) {
                self.0.push(format!("{what} {label} added{}", said(text)));
            }
        }
    }

    /// The first rule that fits decides, so their order is a setting too.
    fn compare_order(&mut self, old: &[(String, String)], new: &[(String, String)]) {
        let common = |these: &[(String, String)], those: &[(String, String)]| -> Vec<String> {
            let is_there = |label: &String| those.iter().any(|(other, _)| other == label);
            let labels = these.iter().map(|(label, _)| label.clone());
            labels.filter(is_there).collect()
        };
        let (before, after) = (common(old, new), common(new, old));
        if before != after {
            let (before, after) = (before.join(", "), after.join(", "));
            self.0.push(format!("rules reordered: {before} → {after}"));
        }
    }
}

impl fmt::Display for Changes {
    /// A line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// What something is known by, and what is said of it.
type Labelled = BTreeMap<String, String>;

fn limits(file: &File) -> Labelled {
    let limits = file.limits.iter().map(|(label, limit)| {
        let name = Some(label.as_str());
        (label.clone(), Described { limit, name }.to_string())
    });
    limits.collect()
}

/// In order; of those known by the same words the second is `#2`.
fn rules(file: &File) -> Vec<(String, String)> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let rules = file.rules.iter().map(|rule| {
        let label = rule.paths.to_string();
        let count = seen.entry(label.clone()).or_default();
        *count += 1;
        let label = match *count {
            1 => label,
            number => format!("{label} #{number}"),
        };
        (label, rule.to_string())
    });
    rules.collect()
}

fn by_label(rules: &[(String, String)]) -> Labelled {
    rules.iter().cloned().collect()
}

fn exempt(file: &File) -> Labelled {
    let patterns = file.exempt.iter();
    patterns
        .map(|pattern| (pattern.clone(), String::new()))
        .collect()
}
