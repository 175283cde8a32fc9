//! The difference between two files, one line for each change. A reload returns and logs it.

use std::{collections::BTreeMap, fmt};

use super::{describe::Described, file::ConfigSpec};

/// The changes of a reload: one line for each thing that was added, removed or changed.
///
/// ```
/// use actix_throttle::{Config, config::Format};
///
/// # fn main() -> Result<(), actix_throttle::ConfigError> {
/// let config = Config::parse("limits.login = '5/minute'", Format::Toml)?;
/// let changes = config.replace("limits.login = '6/minute'")?;
/// assert_eq!(changes.to_string(), "limit login changed: 5/1m → 6/1m");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff(Vec<Change>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    line: String,
    /// Whether something that was in force is gone, which operators had better look at.
    removes: bool,
}

impl Diff {
    /// Whether nothing has changed but, at most, how the file is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the changes, one line each.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|change| change.line.as_str())
    }

    /// Returns each change with whether something that was in force is gone.
    #[doc(hidden)]
    pub fn changes(&self) -> impl Iterator<Item = (bool, &str)> {
        self.0
            .iter()
            .map(|change| (change.removes, change.line.as_str()))
    }

    fn removed(&mut self, line: String) {
        self.0.push(Change {
            line,
            removes: true,
        });
    }

    fn changed(&mut self, line: String) {
        self.0.push(Change {
            line,
            removes: false,
        });
    }

    /// Compares two files.
    #[doc(hidden)]
    #[must_use]
    pub fn between(old: &ConfigSpec, new: &ConfigSpec) -> Self {
        let mut changes = Self::default();
        changes.compare("limit", &limits(old), &limits(new));
        let (before, after) = (rules(old), rules(new));
        changes.compare("rule", &by_label(&before), &by_label(&after));
        changes.compare_order(&before, &after);
        changes.compare("exempt", &exempt(old), &exempt(new));
        if old.skip_preflight != new.skip_preflight {
            let (old, new) = (old.skip_preflight, new.skip_preflight);
            changes.changed(format!("skip_preflight changed: {old} → {new}"));
        }
        changes
    }

    fn compare(&mut self, what: &str, old: &Labelled, new: &Labelled) {
        let said = |text: &str| match text {
            "" => String::new(),
            text => format!(": {text}"),
        };
        for (label, old) in old {
            let text = &old.text;
            match new.get(label) {
                None => self.removed(format!("{what} {label} removed{}", said(text))),
                Some(new) if new.text != *text => {
                    let line = format!("{what} {label} changed: {text} → {}", new.text);
                    match new.limits < old.limits {
                        true => self.removed(line),
                        false => self.changed(line),
                    }
                }
                Some(_) => {}
            }
        }
        for (label, new) in new {
            if !old.contains_key(label) {
                self.changed(format!("{what} {label} added{}", said(&new.text)));
            }
        }
    }

    /// Compares the order of rules, which is a setting: the first rule that matches decides.
    fn compare_order(&mut self, old: &[(String, Entry)], new: &[(String, Entry)]) {
        let common = |these: &[(String, Entry)], those: &[(String, Entry)]| -> Vec<String> {
            let is_there = |label: &String| those.iter().any(|(other, _)| other == label);
            let labels = these.iter().map(|(label, _)| label.clone());
            labels.filter(is_there).collect()
        };
        let (before, after) = (common(old, new), common(new, old));
        if before != after {
            let (before, after) = (before.join(", "), after.join(", "));
            self.changed(format!("rules reordered: {before} → {after}"));
        }
    }
}

impl fmt::Display for Diff {
    /// One line for each change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.lines().collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Descriptions of limits or rules by their labels.
type Labelled = BTreeMap<String, Entry>;

#[derive(Clone)]
struct Entry {
    text: String,
    /// Number of limits in it.
    limits: usize,
}

fn limits(file: &ConfigSpec) -> Labelled {
    let limits = file.limits.iter().map(|(label, limit)| {
        let name = Some(label.as_str());
        let text = Described { limit, name }.to_string();
        (label.clone(), Entry { text, limits: 1 })
    });
    limits.collect()
}

/// Describes the rules in order. The second rule with a label gets `#2` behind it.
fn rules(file: &ConfigSpec) -> Vec<(String, Entry)> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let rules = file.rules.iter().map(|rule| {
        let rule = &rule.value;
        let label = rule.paths.to_string();
        let count = seen.entry(label.clone()).or_default();
        *count += 1;
        let label = match *count {
            1 => label,
            number => format!("{label} #{number}"),
        };
        let limits = rule.limits.iter().filter(|limit| limit.limit.is_some());
        let limits = limits.count();
        let text = rule.to_string();
        (label, Entry { text, limits })
    });
    rules.collect()
}

fn by_label(rules: &[(String, Entry)]) -> Labelled {
    rules.iter().cloned().collect()
}

fn exempt(file: &ConfigSpec) -> Labelled {
    let patterns = file.exempt.iter();
    let nothing = || Entry {
        text: String::new(),
        limits: 0,
    };
    patterns
        .map(|pattern| (pattern.clone(), nothing()))
        .collect()
}
