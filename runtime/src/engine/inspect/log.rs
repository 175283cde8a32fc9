//! [`EventLog`]: the rare events of a limiter, the latest first. The recorder keeps it behind a
//! lock.

use std::{
    collections::VecDeque,
    time::{SystemTime, UNIX_EPOCH},
};

use actix_throttle_core::identity::Identity;

use super::snapshot::{
    ChangeSnapshot, CircuitChange, ConfigurationSnapshot, ReloadSnapshot, StoreFailure,
};
use crate::engine::{
    circuit_state::CircuitState,
    observe::{Change, ReloadResult},
};

/// The most entries of one kind that are remembered.
const MOST: usize = 20;
/// The longest text of an entry, in bytes.
const LONGEST: usize = 2_000;

#[derive(Debug, Default)]
pub(super) struct EventLog {
    pub(super) circuit: VecDeque<CircuitChange>,
    pub(super) failures: u64,
    pub(super) latest_failure: Option<StoreFailure>,
    pub(super) changes: VecDeque<ChangeSnapshot>,
    /// The configuration in force, without its reloads.
    configuration: Option<ConfigurationSnapshot>,
    reloads: VecDeque<ReloadSnapshot>,
}

/// A configuration that was read, in the words of its event.
pub(super) struct Reload<'a> {
    pub(super) source: &'a str,
    pub(super) result: ReloadResult,
    pub(super) error: Option<&'a str>,
    pub(super) changes: &'a [String],
    pub(super) hash: u64,
    pub(super) since: SystemTime,
}

impl EventLog {
    pub(super) fn circuit_changed(&mut self, at: u64, state: CircuitState) {
        push(&mut self.circuit, CircuitChange { at, state });
    }

    pub(super) fn failed(&mut self, at: u64, reason: &str) {
        self.failures += 1;
        match &mut self.latest_failure {
            // An outage fails every request in the same way.
            Some(latest) if latest.reason == reason => latest.at = at,
            latest => {
                let reason = cut(reason);
                *latest = Some(StoreFailure { at, reason });
            }
        }
    }

    pub(super) fn changed(
        &mut self,
        at: u64,
        policy: &'static str,
        identity: &Identity,
        change: Change,
    ) {
        let (word, seconds) = match change {
            Change::Reset => ("reset", None),
            Change::Block(length) => ("block", Some(length.as_secs_f64())),
            Change::Unblock => ("unblock", None),
        };
        let identity = identity.to_string();
        push(
            &mut self.changes,
            ChangeSnapshot {
                at,
                policy,
                identity,
                change: word,
                seconds,
                deleted: None,
            },
        );
    }

    pub(super) fn policy_reset(&mut self, at: u64, policy: &'static str, deleted: u64) {
        push(
            &mut self.changes,
            ChangeSnapshot {
                at,
                policy,
                identity: String::new(),
                change: "reset",
                seconds: None,
                deleted: Some(deleted),
            },
        );
    }

    pub(super) fn reloaded(&mut self, at: u64, reload: &Reload<'_>) {
        let Reload {
            source,
            result,
            error,
            changes,
            hash,
            since,
        } = *reload;
        let since = since.duration_since(UNIX_EPOCH);
        self.configuration = Some(ConfigurationSnapshot {
            source: source.to_owned(),
            hash: format!("{hash:012x}"),
            since: since.map_or(0, |since| since.as_secs()),
            reloads: Vec::new(),
        });
        let entry = ReloadSnapshot {
            at,
            result: result.as_str(),
            error: error.map(cut),
            changes: changes.iter().take(MOST).map(|line| cut(line)).collect(),
            changes_left_out: changes.len().saturating_sub(MOST),
            is_refused: result == ReloadResult::Refused,
        };
        push(&mut self.reloads, entry);
    }

    pub(super) fn configuration(&self) -> Option<ConfigurationSnapshot> {
        let mut configuration = self.configuration.clone()?;
        configuration.reloads = self.reloads.iter().cloned().collect();
        Some(configuration)
    }
}

fn push<T>(entries: &mut VecDeque<T>, entry: T) {
    if entries.len() == MOST {
        entries.pop_back();
    }
    entries.push_front(entry);
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_is_bounded_and_the_latest_comes_first() {
        let mut log = EventLog::default();
        for at in 0..100 {
            log.circuit_changed(at, CircuitState::Open);
            log.changed(at, "login", &Identity::new("ann"), Change::Reset);
            log.failed(at, &"ä".repeat(5_000));
        }
        assert_eq!((log.circuit.len(), log.circuit[0].at), (MOST, 99));
        assert_eq!((log.changes.len(), log.changes[0].at), (MOST, 99));
        let latest = log.latest_failure.expect("a failure");
        assert_eq!(
            (log.failures, latest.at, latest.reason.len()),
            (100, 99, LONGEST)
        );
    }
}
