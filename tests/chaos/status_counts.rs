//! The statuses that clients saw during an outage, and the promises of each failure mode.

use std::{collections::BTreeMap, time::Duration};

use super::DEADLINE;
use harness::http::live::status;

/// The time that a busy test machine may add to a deadline: two cores run clients, workers and
/// servers.
pub(super) const SCHEDULING: Duration = Duration::from_millis(900);
/// The quota of the limits under load.
pub(super) const TIMES: usize = 5;
const WINDOW: Duration = Duration::from_secs(5);

/// The statuses that the clients of one route saw.
#[derive(Debug, Default)]
pub(super) struct StatusCounts {
    pub(super) route: &'static str,
    /// Statuses of requests of one regular client, and of fresh clients. A fresh client always
    /// fits, and so makes Redis write.
    regular: BTreeMap<u16, usize>,
    fresh: BTreeMap<u16, usize>,
    longest: Duration,
    /// The number of responses with status 503 and no `Retry-After`.
    speechless: usize,
    /// The time from before the first request to after the last.
    pub(super) lasted: Duration,
}

impl StatusCounts {
    pub(super) fn new(route: &'static str) -> Self {
        Self {
            route,
            ..Self::default()
        }
    }

    pub(super) fn note(&mut self, is_regular: bool, answer: &str, took: Duration) {
        let statuses = if is_regular {
            &mut self.regular
        } else {
            &mut self.fresh
        };
        *statuses.entry(status(answer)).or_default() += 1;
        self.longest = self.longest.max(took);
        if status(answer) == 503 && !says_when(answer) {
            self.speechless += 1;
        }
    }

    /// The number of responses with this status to the regular client.
    pub(super) fn regular(&self, status: u16) -> usize {
        self.regular.get(&status).copied().unwrap_or_default()
    }

    pub(super) fn count(&self, status: u16) -> usize {
        self.regular(status) + self.fresh.get(&status).copied().unwrap_or_default()
    }

    /// The number of requests of one client that fit the limit in all this time.
    pub(super) fn quota(&self) -> usize {
        // A margin, because clocks are not read at the same moment everywhere.
        let lasted = self.lasted + Duration::from_millis(300);
        let windows = lasted.as_millis() / WINDOW.as_millis() + 1;
        TIMES * usize::try_from(windows).expect("a test is short")
    }

    pub(super) fn of<'a>(all_counts: &'a [Self], route: &str) -> &'a Self {
        let found = all_counts.iter().find(|counts| counts.route == route);
        found.expect("a route under load")
    }

    pub(super) fn add(&mut self, other: Self) {
        for (status, count) in other.regular {
            *self.regular.entry(status).or_default() += count;
        }
        for (status, count) in other.fresh {
            *self.fresh.entry(status).or_default() += count;
        }
        self.longest = self.longest.max(other.longest);
        self.speechless += other.speechless;
    }

    /// Asserts what holds in every outage.
    pub(super) fn hold(&self) {
        let known = match self.route {
            "/closed" => [200, 429, 503].as_slice(),
            _ => &[200, 429],
        };
        let mut statuses = self.regular.keys().chain(self.fresh.keys());
        assert!(statuses.all(|status| known.contains(status)), "{self:?}");
        assert!(self.longest < DEADLINE + SCHEDULING, "{self:?}");
        assert_eq!(self.speechless, 0, "503 without Retry-After: {self:?}");
        assert!(self.regular.values().sum::<usize>() > 10, "{self:?}");
    }
}

fn says_when(answer: &str) -> bool {
    let wait = answer
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "));
    wait.is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait >= 1))
}
