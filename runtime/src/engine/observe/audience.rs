//! [`Audience`]: the observers of all limiters that use one configuration. The configuration tells
//! it of reloads.

use std::time::SystemTime;

use parking_lot::Mutex;

use super::{
    event::{Event, ReloadResult},
    observer::{Observers, WeakObservers},
};

/// The observers of the limiters that use one configuration, and the configuration that they hear
/// of first.
#[derive(Default)]
pub(crate) struct Audience(Mutex<State>);

#[derive(Default)]
struct State {
    observers: Vec<WeakObservers>,
    in_force: Option<Configuration>,
}

/// The configuration in force, as observers know it.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// The name of its file.
    pub(crate) source: String,
    /// The text of the file.
    #[cfg_attr(
        not(feature = "status-page"),
        expect(dead_code, reason = "only the status page shows it")
    )]
    pub(crate) text: String,
    pub(crate) hash: u64,
    pub(crate) since: SystemTime,
    /// The policies of its rules and limits.
    pub(crate) policies: Vec<&'static str>,
}

impl Audience {
    /// Adds the observers of a limiter, which hear of the configuration in force.
    pub(crate) fn join(&self, observers: &Observers) {
        let Some(joining) = observers.downgrade() else {
            return;
        };
        let mut state = self.0.lock();
        state
            .observers
            .retain(|observers| observers.upgrade().is_some());
        state.observers.push(joining);
        if let Some(in_force) = &state.in_force {
            in_force.tell_policies(observers);
            observers.tell(|| in_force.event(ReloadResult::Loaded, None, &[]));
        }
    }

    /// Puts the first or another configuration in force. The caller makes sure that one follows the
    /// other. `changes` has a line for each difference.
    pub(crate) fn replaced(&self, by: Configuration, result: ReloadResult, changes: &[String]) {
        let mut state = self.0.lock();
        state.in_force = Some(by);
        state.tell(result, None, changes);
    }

    /// Returns the text of the configuration in force.
    #[cfg(feature = "status-page")]
    pub(crate) fn text(&self) -> Option<String> {
        let state = self.0.lock();
        state
            .in_force
            .as_ref()
            .map(|in_force| in_force.text.clone())
    }

    /// Tells the observers that the next configuration was refused, and the one in force stays.
    pub(crate) fn refused(&self, error: &str) {
        self.0.lock().tell(ReloadResult::Refused, Some(error), &[]);
    }
}

impl State {
    /// Tells each limiter's observers, under the lock: they hear of reloads in their order.
    fn tell(&self, result: ReloadResult, error: Option<&str>, changes: &[String]) {
        let Some(in_force) = &self.in_force else {
            return;
        };
        for observers in self.observers.iter().filter_map(WeakObservers::upgrade) {
            in_force.tell_policies(&observers);
            observers.tell(|| in_force.event(result, error, changes));
        }
    }
}

impl Configuration {
    fn tell_policies(&self, observers: &Observers) {
        for policy in &self.policies {
            observers.tell(|| Event::PolicyKnown { policy });
        }
    }

    fn event<'a>(
        &'a self,
        result: ReloadResult,
        error: Option<&'a str>,
        changes: &'a [String],
    ) -> Event<'a> {
        Event::Reloaded {
            source: &self.source,
            result,
            error,
            changes,
            hash: self.hash,
            since: self.since,
        }
    }
}
