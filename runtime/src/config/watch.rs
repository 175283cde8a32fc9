//! Automatic reloads: when the content of the file changes, and at SIGHUP. A thread of its own
//! reads the file; no worker waits for it.

#[cfg(unix)]
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

#[cfg(unix)]
use signal_hook::{SigId, consts::SIGHUP};

use super::{config::Config, error::ConfigError, source::Reading};

/// The time between two readings of the file. A change counts once two readings agree, so that a
/// half-written file is not taken (debounce).
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// A watch that reloads a [`Config`](super::Config) when its file changes, until the watch is
/// dropped. [`Config::watch`](super::Config::watch) makes it.
///
/// A thread of its own reads the file four times a second and compares its content. That sees what
/// notifications of a file system miss: files on network volumes and on mounts of containers,
/// symbolic links that are turned to another folder, as Kubernetes does, and editors that replace
/// the old file by a new one. A change is in force within half a second or so. What
/// [`replace`](super::Config::replace) has put in force stays until the file changes.
///
/// On Unix, SIGHUP reloads too. From the first `watch` on, the signal no longer ends the process,
/// not even once this is dropped.
#[must_use = "watching ends when this is dropped"]
#[derive(Debug)]
pub struct Watch {
    /// The sender whose drop ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    #[cfg(unix)]
    signal: SigId,
}

impl Config {
    /// Reloads whenever the file changes or, on Unix, at SIGHUP, until the returned [`Watch`] is
    /// dropped.
    ///
    /// # Errors
    ///
    /// If the configuration came from a text, or the system refuses a thread or the signal.
    pub fn watch(&self) -> Result<Watch, ConfigError> {
        Watch::start(self)
    }
}

impl Watch {
    fn start(config: &Config) -> Result<Self, ConfigError> {
        let source = &config.0.source;
        let refused = |reason: &dyn std::fmt::Display| {
            let reason = format!("cannot be watched: {reason}");
            ConfigError::unusable(&source.name, reason)
        };
        if !source.is_file() {
            return Err(refused(&"it came from a text and no file"));
        }
        let hangup = Hangup::default();
        #[cfg(unix)]
        let signal = signal_hook::flag::register(SIGHUP, Arc::clone(&hangup.0))
            .map_err(|error| refused(&error))?;
        let (end, ended) = mpsc::channel();
        let config = config.clone();
        let run = move || {
            let mut debounce = Debounce::default();
            while ended.recv_timeout(POLL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                read(&config, &mut debounce, hangup.take());
            }
        };
        let thread = thread::Builder::new()
            .name("throttle-config".to_owned())
            .spawn(run);
        let thread = thread.map_err(|error| refused(&error));
        #[cfg(unix)]
        if thread.is_err() {
            signal_hook::low_level::unregister(signal);
        }
        Ok(Self {
            end: Some(end),
            thread: Some(thread?),
            #[cfg(unix)]
            signal,
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        #[cfg(unix)]
        signal_hook::low_level::unregister(self.signal);
        self.end.take();
        // An observer of reloads runs on that thread, and may be what drops this.
        let is_own = |thread: &JoinHandle<()>| thread.thread().id() == thread::current().id();
        if let Some(thread) = self.thread.take().filter(|thread| !is_own(thread)) {
            // The thread does not panic; if it did, there is nothing more to end.
            let _ = thread.join();
        }
    }
}

/// Whether SIGHUP has come. The flag is relaxed, because it guards no other data.
#[derive(Default)]
struct Hangup(#[cfg(unix)] Arc<AtomicBool>);

impl Hangup {
    fn take(&self) -> bool {
        #[cfg(unix)]
        return self.0.swap(false, Ordering::Relaxed);
        #[cfg(not(unix))]
        false
    }
}

/// Two readings in a row, of which a change must be in both.
#[derive(Default)]
struct Debounce {
    latest: Option<Reading>,
}

impl Debounce {
    /// Returns whether a reading agrees with the one before.
    fn is_settled(&mut self, seen: &Reading) -> bool {
        let is_settled = self.latest.as_ref() == Some(seen);
        if !is_settled {
            self.latest = Some(seen.clone());
        }
        is_settled
    }
}

fn read(config: &Config, debounce: &mut Debounce, is_hangup: bool) {
    if is_hangup {
        // The outcome is logged.
        drop(config.reload());
        return;
    }
    let seen = config.0.source.read();
    if debounce.is_settled(&seen) && !config.is_last_read(&seen) {
        config.reload_settled(&seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(text: &str) -> Reading {
        Ok(text.to_owned())
    }

    #[test]
    fn change_counts_once_two_readings_agree() {
        let mut debounce = Debounce::default();
        assert!(!debounce.is_settled(&read_as("half")));
        assert!(!debounce.is_settled(&read_as("whole")));
        assert!(debounce.is_settled(&read_as("whole")));
        assert!(!debounce.is_settled(&read_as("other")));
        assert!(!debounce.is_settled(&read_as("whole")), "and back again");
        assert!(debounce.is_settled(&read_as("whole")));
    }

    #[test]
    fn file_that_is_missing_for_a_moment_is_no_change() {
        let gone = || Err(ConfigError::unreadable("a.toml", "no such file"));
        let mut debounce = Debounce::default();
        assert!(!debounce.is_settled(&gone()), "between two renames");
        assert!(debounce.is_settled(&gone()));
    }
}
