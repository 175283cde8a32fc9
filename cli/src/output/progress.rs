//! The progress bar of a scan of the keys. It is on standard error, and only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// The progress of a scan.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

const STYLE: &str = "{bar:30} {human_pos} of about {human_len} keys, {elapsed}";

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template(STYLE) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// A progress that is not shown, for views that are repeated.
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Sets the approximate number of keys.
    pub(crate) fn expect(&self, keys: u64) {
        self.0.set_length(keys);
    }

    pub(crate) fn advance(&self, keys: u64) {
        let position = self.0.position().saturating_add(keys);
        // The last step is larger than what is left.
        let end = self.0.length().filter(|end| *end > 0);
        self.0.set_position(position.min(end.unwrap_or(u64::MAX)));
    }

    /// Removes the bar, before anything else is written.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
