//! The switch of a limiter: whether its limits are enforced, only counted, or off. Code and the
//! configuration file set it while the service runs; each decision reads it.

use std::{
    pin::pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicU8, Ordering},
    },
};

use actix_throttle_core::enforcement::Enforcement;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::log_throttle::TARGET;

/// The enforcement of one limiter, shared by its clones.
#[derive(Debug)]
pub(crate) struct Switch {
    /// The value in force, the lesser one of `said`. It is relaxed: it guards no other data, and a
    /// request that misses a change by a moment is decided as it would have been before.
    in_force: AtomicU8,
    said: Mutex<Said>,
    /// The notification that wakes requests that wait, once limits are no longer enforced.
    changed: Notify,
    /// Whether there is a store: without one nothing can be counted, and the switch stays off.
    has_store: bool,
}

/// The enforcement that each source says.
#[derive(Clone, Copy, Debug)]
struct Said {
    code: Enforcement,
    file: Enforcement,
}

impl Said {
    fn in_force(self) -> Enforcement {
        self.code.min(self.file)
    }
}

/// The enforcement that a configuration file says, for the limiters that use the file. A cheap
/// handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct LiveEnforcement(Arc<Mutex<Followers>>);

#[derive(Debug, Default)]
struct Followers {
    said: Enforcement,
    switches: Vec<Weak<Switch>>,
}

impl Followers {
    /// Drops the switches of limiters that are gone.
    fn drop_unused(&mut self) {
        self.switches.retain(|switch| switch.strong_count() > 0);
    }
}

impl LiveEnforcement {
    #[cfg_attr(
        not(any(feature = "config", test)),
        expect(dead_code, reason = "nothing else says it but a file")
    )]
    pub(crate) fn new(said: Enforcement) -> Self {
        Self(Arc::new(Mutex::new(Followers {
            said,
            switches: Vec::new(),
        })))
    }

    /// Passes the enforcement of the file on to the limiters.
    #[cfg_attr(
        not(any(feature = "config", test)),
        expect(dead_code, reason = "nothing else says it but a file")
    )]
    pub(crate) fn replace(&self, said: Enforcement) {
        let mut followers = self.0.lock();
        followers.said = said;
        followers.drop_unused();
        for switch in followers.switches.iter().filter_map(Weak::upgrade) {
            switch.change(|all| all.file = said);
        }
    }
}

impl Switch {
    /// Makes a switch that code has set, and that follows a file if there is one.
    pub(super) fn new(
        code: Enforcement,
        file: Option<&LiveEnforcement>,
        has_store: bool,
    ) -> Arc<Self> {
        let mut followers = file.map(|file| file.0.lock());
        let file = followers.as_ref().map(|followers| followers.said);
        let said = Said {
            code,
            file: file.unwrap_or_default(),
        };
        let switch = Arc::new(Self {
            in_force: AtomicU8::new(said.in_force() as u8),
            said: Mutex::new(said),
            changed: Notify::new(),
            has_store,
        });
        if said.in_force() != Enforcement::On {
            log::warn!(target: TARGET, "{}", line(said.in_force()));
        }
        if let Some(followers) = &mut followers {
            // A file may outlive many limiters without ever being changed.
            followers.drop_unused();
            followers.switches.push(Arc::downgrade(&switch));
        }
        switch
    }

    #[inline]
    pub(super) fn in_force(&self) -> Enforcement {
        match self.in_force.load(Ordering::Relaxed) {
            OFF => Enforcement::Off,
            SHADOW => Enforcement::Shadow,
            _ => Enforcement::On,
        }
    }

    /// Waits until limits are not enforced.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub(super) async fn unenforced(&self) {
        loop {
            let mut changed = pin!(self.changed.notified());
            // The notification is enabled before the value is read, or a change in between would be
            // lost.
            changed.as_mut().enable();
            if self.in_force() != Enforcement::On {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn set(&self, code: Enforcement) {
        if code != Enforcement::Off && !self.has_store {
            log::error!(
                target: TARGET,
                "enforcement stays \"off\": this limiter was built without a store, and cannot \
                 count; build it with `.redis(pool)`, `.redis_url(url)` or `.memory()`"
            );
            return;
        }
        let in_force = self.change(|all| all.code = code);
        if in_force < code {
            log::warn!(
                target: TARGET,
                "enforcement stays \"{}\", as the configuration file says, and not \"{}\"",
                in_force.as_str(),
                code.as_str()
            );
        }
    }

    /// Changes what a source says, and returns what is in force then.
    fn change(&self, change: impl FnOnce(&mut Said)) -> Enforcement {
        let mut said = self.said.lock();
        let before = said.in_force();
        change(&mut said);
        let after = said.in_force();
        // The value is stored under the lock, so that the last change is the one that stays.
        self.in_force.store(after as u8, Ordering::Relaxed);
        if after != before {
            let level = match after {
                Enforcement::On => log::Level::Info,
                _ => log::Level::Warn,
            };
            log::log!(target: TARGET, level, "{}", line(after));
            self.changed.notify_waiters();
        }
        after
    }
}

const OFF: u8 = Enforcement::Off as u8;
const SHADOW: u8 = Enforcement::Shadow as u8;

fn line(enforcement: Enforcement) -> &'static str {
    match enforcement {
        Enforcement::On => "enforcement is \"on\": rate limits are enforced",
        Enforcement::Shadow => "enforcement is \"shadow\": rate limits count, and deny nothing",
        _ => "enforcement is \"off\": rate limits neither count nor apply",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lesser_of_code_and_file_is_in_force() {
        use Enforcement::{Off, On, Shadow};
        let file = LiveEnforcement::new(On);
        let switch = Switch::new(On, Some(&file), true);
        assert_eq!(switch.in_force(), On);
        for (code, said, expected) in [
            (On, Shadow, Shadow),
            (On, Off, Off),
            (Shadow, On, Shadow),
            (Shadow, Off, Off),
            (Off, On, Off),
            (Off, Shadow, Off),
            (On, On, On),
        ] {
            switch.set(code);
            file.replace(said);
            assert_eq!(switch.in_force(), expected, "{code:?} and {said:?}");
            file.replace(said);
            switch.set(code);
            assert_eq!(switch.in_force(), expected, "{said:?} and {code:?}");
        }
        let late = Switch::new(On, Some(&file), true);
        file.replace(Shadow);
        assert_eq!((switch.in_force(), late.in_force()), (Shadow, Shadow));
    }

    #[test]
    fn dropped_switches_are_not_kept() {
        let file = LiveEnforcement::new(Enforcement::On);
        let kept = Switch::new(Enforcement::On, Some(&file), true);
        for _ in 0..10 {
            Switch::new(Enforcement::On, Some(&file), true);
            assert!(file.0.lock().switches.len() <= 2);
        }
        file.replace(Enforcement::Off);
        assert_eq!(kept.in_force(), Enforcement::Off);
    }

    #[test]
    fn without_a_store_it_stays_off() {
        let switch = Switch::new(Enforcement::Off, None, false);
        switch.set(Enforcement::On);
        assert_eq!(switch.in_force(), Enforcement::Off);
        switch.set(Enforcement::Shadow);
        assert_eq!(switch.in_force(), Enforcement::Off);
    }
}
