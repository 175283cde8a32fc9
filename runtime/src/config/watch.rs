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

use super::{config::Config, error::ConfigError};

/// The time between two readings of the file. A change counts once two readings agree, so that a
/// half-written file is not taken (debounce).
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// A watch that reloads a [`Config`](super::Config) when its file changes, until the watch is
/// dropped. [`Config::watch`](super::Config::watch) makes it.
///
/// A thread of its own reads the file four times a second and compares its content. That sees what
/// notifications of a file system miss: files on network volumes and on mounts of containers,
/// symbolic links that are turned to another folder, as Kubernetes does, and editors that replace
/// the old file by a new one. A change is in force within half a second or so.
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
        if let Some(thread) = self.thread.take() {
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

/// A reading of the file: its text, or why it cannot be read.
type Reading = Result<String, ConfigError>;

/// The latest readings.
#[derive(Default)]
struct Debounce {
    latest: Option<Reading>,
    /// The reading that was applied or rejected last, which is not reported again.
    done: Option<Reading>,
}

impl Debounce {
    /// Returns a reading to apply or reject: it is new, and agrees with the one before.
    fn settled(&mut self, seen: Reading) -> Option<Reading> {
        let is_settled = self.latest.as_ref() == Some(&seen);
        if is_settled && self.done.as_ref() != Some(&seen) {
            self.done = Some(seen.clone());
            return Some(seen);
        }
        self.latest = Some(seen);
        None
    }
}

fn read(config: &Config, debounce: &mut Debounce, is_hangup: bool) {
    let seen = config.0.source.read();
    let in_force = |text: &String| *text == config.0.current.load().text;
    if is_hangup {
        debounce.done = Some(seen.clone());
    } else if seen.as_ref().is_ok_and(in_force) {
        // The debounce starts anew, because the same error is news after it was undone.
        *debounce = Debounce::default();
        return;
    }
    let news = if is_hangup {
        Some(seen)
    } else {
        debounce.settled(seen)
    };
    // `replace` and `refuse` log the outcome.
    match news {
        Some(Ok(text)) => drop(config.replace(&text)),
        Some(Err(error)) => drop(config.refuse::<()>(error)),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(text: &str) -> Reading {
        Ok(text.to_owned())
    }

    #[test]
    fn change_counts_once_it_has_settled() {
        let mut debounce = Debounce::default();
        assert_eq!(debounce.settled(read_as("half")), None);
        assert_eq!(debounce.settled(read_as("whole")), None);
        assert_eq!(debounce.settled(read_as("whole")), Some(read_as("whole")));
        assert_eq!(debounce.settled(read_as("whole")), None, "once");
        assert_eq!(debounce.settled(read_as("other")), None);
        assert_eq!(debounce.settled(read_as("whole")), None, "and back again");
        assert_eq!(debounce.settled(read_as("whole")), None);
    }

    #[test]
    fn missing_file_is_reported_once() {
        let gone = || Err(ConfigError::unreadable("a.toml", "no such file"));
        let mut debounce = Debounce::default();
        assert_eq!(debounce.settled(gone()), None, "between two renames");
        assert_eq!(debounce.settled(gone()), Some(gone()));
        assert_eq!(debounce.settled(gone()), None);
    }
}
