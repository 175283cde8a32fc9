//! A throttle for log lines about single requests: at most one line a second for each subject, so
//! that a flood of requests does not become a flood of lines. `log_lines` has one for each subject.

use std::{
    fmt,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use log::Level;

/// Log target by which applications filter: the crate, not a module.
pub(crate) const TARGET: &str = "actix_throttle";

/// The throttle of one subject. Its atomics are relaxed, because each counts by itself and guards
/// no data.
#[derive(Debug)]
pub(crate) struct LogThrottle {
    level: Level,
    /// Second of the latest line since `START`, from 1; 0 before the first line.
    latest: AtomicU64,
    left_out: AtomicU64,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl LogThrottle {
    pub(crate) const fn new(level: Level) -> Self {
        Self {
            level,
            latest: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
        }
    }

    /// Logs the line, or counts it as left out.
    pub(crate) fn log(&self, line: fmt::Arguments<'_>) {
        if self.is_due(START.elapsed().as_secs() + 1) {
            let line = one_line(line);
            match self.left_out.swap(0, Ordering::Relaxed) {
                0 => log::log!(target: TARGET, self.level, "{line}"),
                more => {
                    log::log!(target: TARGET, self.level, "{line} (and {more} more like it before)")
                }
            }
        } else {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn is_due(&self, second: u64) -> bool {
        let latest = self.latest.load(Ordering::Relaxed);
        latest != second
            && self
                .latest
                .compare_exchange(latest, second, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// Joins the lines of a text: the errors of libraries may have several.
fn one_line(text: fmt::Arguments<'_>) -> String {
    let text = text.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_an_error_are_logged_as_one() {
        let error = "Parse error at 0\n  Unexpected `6`\n\n";
        let line = one_line(format_args!("the store failed: {error}"));
        assert_eq!(line, "the store failed: Parse error at 0; Unexpected `6`");
    }

    #[test]
    fn one_line_a_second_is_due() {
        let throttle = LogThrottle::new(Level::Warn);
        assert!(throttle.is_due(1));
        assert!(!throttle.is_due(1));
        assert!(throttle.is_due(2));
    }
}
