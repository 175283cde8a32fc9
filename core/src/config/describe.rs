//! The content of a file as text, for the log and for diffs: equal texts are equal settings.

use std::{fmt, time::Duration};

use humantime::format_duration as duration;
use sha2::{Digest, Sha256};

use crate::{
    limit::{Algorithm, AnyLimit, Concurrency, Limit, LimitOptions, NamedLimit, Refill},
    network::NetworkSet,
    rules::{LimitSpec, PathsSpec, RouteRuleSpec},
};

/// A limit as text: `5/1m, token_bucket, capacity 10`, or `2 at once, expiry 10s`.
pub(crate) struct LimitText<'a> {
    pub(crate) limit: &'a NamedLimit,
    /// The name and zone of the limit if it has none of its own.
    pub(crate) name: Option<&'a str>,
}

impl fmt::Display for LimitText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NamedLimit { limit, options } = self.limit;
        let (name, zone) = match limit {
            AnyLimit::Rate(limit) => {
                numbers(f, limit)?;
                (limit.name_value(), limit.explicit_zone())
            }
            AnyLimit::Concurrency(limit) => {
                concurrency(f, limit)?;
                (limit.name_value(), limit.explicit_zone())
            }
        };
        for (what, text) in [("name", name), ("zone", zone)] {
            match text {
                Some(text) if self.name != Some(text) => write!(f, ", {what} {text}")?,
                _ => {}
            }
        }
        write_options(f, options)
    }
}

fn write_options(f: &mut fmt::Formatter<'_>, options: &LimitOptions) -> fmt::Result {
    let LimitOptions {
        failure_mode,
        refund_on,
        settle,
        max_wait,
        slow_down,
    } = options;
    if let Some(mode) = failure_mode {
        write!(f, ", failure_mode {}", mode.as_str())?;
    }
    if let Some(statuses) = refund_on {
        write!(f, ", refund_on {statuses}")?;
    }
    if *settle == Some(true) {
        f.write_str(", settle")?;
    }
    if let Some(max_wait) = max_wait {
        write!(f, ", max_wait {}", duration(*max_wait))?;
    }
    if let (Some(after), Some(by), Some(max)) = (slow_down.after, slow_down.by, slow_down.max) {
        let (by, max) = (duration(by), duration(max));
        write!(f, ", slow_after {after}, slow_by {by}, slow_max {max}")?;
    }
    Ok(())
}

fn concurrency(f: &mut fmt::Formatter<'_>, limit: &Concurrency) -> fmt::Result {
    write!(f, "{} at once", limit.max())?;
    let expiry = limit.expiry_value();
    if expiry != Concurrency::new(limit.max()).expiry_value() {
        write!(f, ", expiry {}", duration(expiry))?;
    }
    f.write_str(if limit.is_shadow() { ", shadow" } else { "" })
}

fn numbers(f: &mut fmt::Formatter<'_>, limit: &Limit) -> fmt::Result {
    match (limit.period(), limit.time_zone_name()) {
        (Some(period), Some("UTC")) => write!(f, "{}/{period}", limit.times())?,
        (Some(period), zone) => {
            let zone = zone.unwrap_or_default();
            write!(f, "{}/{period}, time_zone {zone}", limit.times())?;
        }
        (None, _) => {
            write!(f, "{}/{}", limit.times(), duration(limit.window()))?;
            if limit.algorithm_value() != Algorithm::default() {
                write!(f, ", {}", limit.algorithm_value())?;
            }
        }
    }
    if limit.quota() != limit.times() {
        write!(f, ", capacity {}", limit.quota())?;
    }
    if limit.refill_value() == Refill::Interval {
        f.write_str(", refill interval")?;
    }
    if limit.cost_value() != 1 {
        write!(f, ", cost {}", limit.cost_value())?;
    }
    match limit.steps() {
        [] if limit.block_micros() == 0 => {}
        [] => {
            let block = Duration::from_micros(limit.block_micros());
            write!(f, ", block {}", duration(block))?;
        }
        steps => {
            let steps = steps.iter().map(|step| duration(*step).to_string());
            write!(f, ", block \"{}\"", steps.collect::<Vec<_>>().join(", "))?;
        }
    }
    if limit.lease_size() != 0 {
        write!(f, ", lease {}", limit.lease_size())?;
    }
    f.write_str(if limit.is_shadow() { ", shadow" } else { "" })
}

/// The label of a rule: its name, else its methods and paths.
impl fmt::Display for PathsSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "\"{name}\""),
            None => requests(f, self),
        }
    }
}

/// All settings of a rule but its name.
impl fmt::Display for RouteRuleSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        requests(f, &self.paths)?;
        if let Some(set) = &self.paths.networks {
            networks(f, set)?;
        }
        if self.paths.shadow {
            f.write_str(", shadow")?;
        }
        if self.limits.is_empty() {
            return f.write_str(": exempt");
        }
        for (index, limit) in self.limits.iter().enumerate() {
            write!(f, "{}{limit}", if index == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}

impl fmt::Display for LimitSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.limit_name, &self.limit) {
            (_, None) => f.write_str("unlimited")?,
            (Some(name), _) => write!(f, "limit {name}")?,
            (None, Some(limit)) => LimitText { limit, name: None }.fmt(f)?,
        }
        write_options(f, &self.options)?;
        if let Some(group) = &self.group {
            write!(f, ", group {group}")?;
        }
        if let Some(identifier) = &self.identifier {
            write!(f, ", identifier {identifier}")?;
        }
        Ok(())
    }
}

fn requests(f: &mut fmt::Formatter<'_>, paths: &PathsSpec) -> fmt::Result {
    for method in &paths.methods {
        write!(f, "{method} ")?;
    }
    match (&paths.path, &paths.pattern) {
        (Some(path), _) => write!(f, "path {path}"),
        (None, Some(pattern)) => write!(f, "pattern {pattern}"),
        (None, None) => f.write_str("all paths"),
    }
}

/// Writes the networks of a rule. Of a long list it writes the first ones and a hash of all, so
/// that equal texts are equal lists.
fn networks(f: &mut fmt::Formatter<'_>, set: &NetworkSet) -> fmt::Result {
    /// The most networks that are written.
    const MOST: usize = 8;
    let all: Vec<_> = set.iter().map(|network| network.to_string()).collect();
    if all.len() <= MOST {
        return write!(f, ", networks {}", all.join(" "));
    }
    let (shown, more) = (all[..MOST].join(" "), all.len() - MOST);
    write!(f, ", networks {shown} and {more} more (#")?;
    let hash = Sha256::digest(all.join(" "));
    hash.iter()
        .take(4)
        .try_for_each(|byte| write!(f, "{byte:02x}"))?;
    f.write_str(")")
}

#[cfg(test)]
mod tests {
    use crate::config::testing::parse;

    fn described(networks: &[String]) -> String {
        let text = format!("rules = [{{ networks = {networks:?}, limits = ['1/s'] }}]");
        parse(&text).expect("a right file").rules[0]
            .value
            .to_string()
    }

    #[test]
    fn long_list_of_networks_is_described_by_a_hash() {
        let few = ["10.0.0.0/8", "192.0.2.1"].map(str::to_owned);
        assert_eq!(
            described(&few),
            "all paths, networks 10.0.0.0/8 192.0.2.1/32: 1/1s"
        );
        let many: Vec<_> = (0..100).map(|n| format!("10.0.{n}.0/24")).collect();
        let text = described(&many);
        assert!(text.contains("10.0.7.0/24 and 92 more (#"), "{text}");
        let other: Vec<_> = (0..100)
            .map(|n| format!("10.0.{}.0/24", n.min(98) + n / 99))
            .collect();
        assert_eq!(described(&other), text);
        let other: Vec<_> = (1..101)
            .map(|n| format!("10.0.{}.0/24", n % 100 + n / 100 * 200))
            .collect();
        assert_ne!(described(&other), text);
    }
}
