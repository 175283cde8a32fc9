//! The difference between two files, one line for each change. A reload returns and logs it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{describe::LimitText, file::ConfigSpec};
use crate::network::{ClientSpec, NetworkAccess};

/// The number of networks that one line of a diff lists.
const MOST_LISTED: usize = 8;

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
pub struct Diff(Vec<DiffLine>);

/// One difference, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DiffLine {
    line: String,
    /// Whether something that was in force is gone, which operators should look at.
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
        self.0.push(DiffLine {
            line,
            removes: true,
        });
    }

    fn changed(&mut self, line: String) {
        self.0.push(DiffLine {
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
        if old.enforcement != new.enforcement {
            let line = format!(
                "enforcement changed: {} → {}",
                old.enforcement.as_str(),
                new.enforcement.as_str()
            );
            if new.enforcement < old.enforcement {
                changes.removed(line);
            } else {
                changes.changed(line);
            }
        }
        changes.compare_clients(&old.clients, &new.clients);
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
                    if new.limits < old.limits {
                        self.removed(line);
                    } else {
                        self.changed(line);
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

    /// Compares what is said about clients: one line for each key, as a list may have thousands of
    /// networks.
    fn compare_clients(&mut self, old: &ClientSpec, new: &ClientSpec) {
        let lists = |clients: &ClientSpec| {
            let networks = |access| clients.access.networks(access).map(|one| one.to_string());
            [
                (
                    "allow",
                    networks(NetworkAccess::Allow).collect::<BTreeSet<_>>(),
                ),
                ("deny", networks(NetworkAccess::Deny).collect()),
                ("trusted_proxies", clients.proxies.entries().collect()),
            ]
        };
        for ((what, old), (_, new)) in lists(old).into_iter().zip(lists(new)) {
            let added = listed(new.difference(&old), "added");
            let removed = listed(old.difference(&new), "removed");
            let is_removal = removed.is_some();
            let parts: Vec<_> = removed.into_iter().chain(added).collect();
            let line = format!("{what} changed: {}", parts.join("; "));
            match (parts.is_empty(), is_removal) {
                (true, _) => {}
                (false, true) => self.removed(line),
                (false, false) => self.changed(line),
            }
        }
        let name = |clients: &ClientSpec| clients.client_ip_header.clone();
        if name(old) != name(new) {
            let [old, new] = [old, new].map(|it| name(it).unwrap_or("none".to_owned()));
            self.changed(format!("client_ip_header changed: {old} → {new}"));
        }
    }

    /// Compares the order of rules, which is a setting: the first rule that matches decides.
    fn compare_order(&mut self, old: &[(String, Description)], new: &[(String, Description)]) {
        let common =
            |these: &[(String, Description)], those: &[(String, Description)]| -> Vec<String> {
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
    /// Writes one line for each change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.lines().collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Lists the first of these texts; `None` if there is none.
fn listed<'a>(texts: impl Iterator<Item = &'a String>, what: &str) -> Option<String> {
    let texts: Vec<_> = texts.map(String::as_str).collect();
    let (shown, more) = texts.split_at(texts.len().min(MOST_LISTED));
    let shown = shown.join(", ");
    match (texts.len(), more.len()) {
        (0, _) => None,
        (_, 0) => Some(format!("{shown} {what}")),
        (_, more) => Some(format!("{shown} and {more} more {what}")),
    }
}

/// Descriptions of limits or rules by their labels.
type Labelled = BTreeMap<String, Description>;

/// A limit or a rule as text.
#[derive(Clone)]
struct Description {
    text: String,
    /// The number of limits in it.
    limits: usize,
}

fn limits(file: &ConfigSpec) -> Labelled {
    let limits = file.limits.iter().map(|(label, limit)| {
        let name = Some(label.as_str());
        let text = LimitText { limit, name }.to_string();
        (label.clone(), Description { text, limits: 1 })
    });
    limits.collect()
}

/// Describes the rules in order. The second rule with a label gets `#2` behind it.
fn rules(file: &ConfigSpec) -> Vec<(String, Description)> {
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
        (label, Description { text, limits })
    });
    rules.collect()
}

fn by_label(rules: &[(String, Description)]) -> Labelled {
    rules.iter().cloned().collect()
}

fn exempt(file: &ConfigSpec) -> Labelled {
    let patterns = file.exempt.iter();
    let nothing = || Description {
        text: String::new(),
        limits: 0,
    };
    patterns
        .map(|pattern| (pattern.clone(), nothing()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::parse;

    fn diff(old: &str, new: &str) -> Vec<(bool, String)> {
        let read = |text: &str| parse(&format!("{text}\nrules = []")).expect(text);
        let diff = Diff::between(&read(old), &read(new));
        let changes = diff.changes();
        changes
            .map(|(removes, line)| (removes, line.to_owned()))
            .collect()
    }

    #[test]
    fn clients_changed_is_one_line_for_each_key() {
        let old = "allow = ['10.0.0.0/8']\ndeny = ['192.0.2.1']\ntrusted_proxies = ['unix']";
        let new = "deny = ['192.0.2.2', '192.0.2.1']\ntrusted_proxies = ['unix']\n\
                   client_ip_header = 'X-Real-IP'";
        let lines = [
            (true, "allow changed: 10.0.0.0/8 removed".to_owned()),
            (false, "deny changed: 192.0.2.2/32 added".to_owned()),
            (
                false,
                "client_ip_header changed: none → x-real-ip".to_owned(),
            ),
        ];
        assert_eq!(diff(old, new), lines);
        assert_eq!(diff(old, old), []);
        assert_eq!(diff("deny = ['10.0.0.0/8']", "deny = ['10.1.1.1/8']"), []);
    }

    #[test]
    fn long_list_is_cut() {
        let networks: Vec<_> = (0..1_000)
            .map(|n| format!("'10.{}.{}.0/24'", n / 250, n % 250))
            .collect();
        let new = format!("deny = [{}]", networks.join(", "));
        let lines = diff("", &new);
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0]
                .1
                .starts_with("deny changed: 10.0.0.0/24, 10.0.1.0/24, "),
            "{lines:?}"
        );
        assert!(lines[0].1.ends_with(" and 992 more added"), "{lines:?}");
    }
}
