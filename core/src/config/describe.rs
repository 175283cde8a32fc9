//! The content of a file as text, for the log and for diffs: equal texts are equal settings.

use std::{fmt, time::Duration};

use humantime::format_duration as duration;

use crate::{
    limit::{Algorithm, AnyLimit, Concurrency, Limit, LimitOptions, NamedLimit, Refill},
    rules::{LimitSpec, PathsSpec, RouteRuleSpec},
};

/// A limit as text: `5/1m, token_bucket, capacity 10`, or `2 at once, expiry 10s`.
pub(crate) struct Described<'a> {
    pub(crate) limit: &'a NamedLimit,
    /// Name and zone of the limit if it has none of its own.
    pub(crate) name: Option<&'a str>,
}

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NamedLimit { limit, options } = self.limit;
        let (name, zone) = match limit {
            AnyLimit::Rate(limit) => {
                numbers(f, limit)?;
                (limit.policy_name(), limit.explicit_zone())
            }
            AnyLimit::Concurrency(limit) => {
                concurrency(f, limit)?;
                (limit.policy_name(), limit.explicit_zone())
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
        max_wait,
    } = options;
    if let Some(mode) = failure_mode {
        write!(f, ", failure_mode {}", mode.as_str())?;
    }
    if let Some(statuses) = refund_on {
        write!(f, ", refund_on {statuses}")?;
    }
    if let Some(max_wait) = max_wait {
        write!(f, ", max_wait {}", duration(*max_wait))?;
    }
    Ok(())
}

fn concurrency(f: &mut fmt::Formatter<'_>, limit: &Concurrency) -> fmt::Result {
    write!(f, "{} at once", limit.max())?;
    let expiry = limit.expiry_after();
    if expiry != Concurrency::new(limit.max()).expiry_after() {
        write!(f, ", expiry {}", duration(expiry))?;
    }
    f.write_str(if limit.is_shadow() { ", shadow" } else { "" })
}

fn numbers(f: &mut fmt::Formatter<'_>, limit: &Limit) -> fmt::Result {
    write!(f, "{}/{}", limit.times(), duration(limit.window()))?;
    if limit.kind() != Algorithm::default() {
        write!(f, ", {}", limit.kind())?;
    }
    if limit.quota() != limit.times() {
        write!(f, ", capacity {}", limit.quota())?;
    }
    if limit.refill_kind() == Refill::Interval {
        f.write_str(", refill interval")?;
    }
    if limit.default_cost() != 1 {
        write!(f, ", cost {}", limit.default_cost())?;
    }
    if limit.block_micros() != 0 {
        let block = Duration::from_micros(limit.block_micros());
        write!(f, ", block {}", duration(block))?;
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
            (None, Some(limit)) => Described { limit, name: None }.fmt(f)?,
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
