//! [`Audience`]: the observers of all limiters that use one configuration. The configuration tells
//! it of reloads.

use std::{collections::VecDeque, sync::Arc, time::SystemTime};

use super::{
    event::{Event, ReloadResult},
    observer::{Observers, WeakObservers},
    teller::Teller,
};

/// The observers of the limiters that use one configuration, and the configuration that they hear
/// of first.
///
/// Each observer hears of reloads in their order. It is called under no lock, so it may use the
/// limiter and the configuration. If a thread is telling already, it goes on with what other
/// threads add, and they return before that is told.
#[derive(Default)]
pub(crate) struct Audience(Teller<AudienceState>);

/// The observers, and what they have yet to hear of.
#[derive(Default)]
struct AudienceState {
    observers: Vec<WeakObservers>,
    in_force: Option<Arc<Configuration>>,
    /// The reloads that are not told yet, the oldest first.
    untold: VecDeque<UntoldReload>,
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

/// An attempt to reload, and the observers that are to hear of it.
struct UntoldReload {
    observers: Vec<WeakObservers>,
    /// The configuration in force afterwards.
    in_force: Arc<Configuration>,
    result: ReloadResult,
    error: Option<String>,
    changes: Vec<String>,
}

impl Audience {
    /// Adds the observers of a limiter, which hear of the configuration in force.
    pub(crate) fn join(&self, observers: &Observers) {
        let Some(joining) = observers.downgrade() else {
            return;
        };
        self.0.with(|state| {
            state
                .observers
                .retain(|observers| observers.upgrade().is_some());
            state.observers.push(joining.clone());
            if let Some(in_force) = &state.in_force {
                state.untold.push_back(UntoldReload {
                    observers: vec![joining],
                    in_force: Arc::clone(in_force),
                    result: ReloadResult::Loaded,
                    error: None,
                    changes: Vec::new(),
                });
            }
        });
        self.tell();
    }

    /// Puts the first or another configuration in force. The caller makes sure that one follows the
    /// other, and calls [`tell`](Self::tell) once it holds no lock. `changes` has a line for each
    /// difference.
    pub(crate) fn replaced(&self, by: Configuration, result: ReloadResult, changes: Vec<String>) {
        self.0.with(|state| {
            state.in_force = Some(Arc::new(by));
            state.add(result, None, changes);
        });
    }

    /// The configuration in force stays, because the next one was refused. The caller calls
    /// [`tell`](Self::tell) once it holds no lock.
    pub(crate) fn refused(&self, error: String) {
        let result = ReloadResult::Refused;
        self.0
            .with(|state| state.add(result, Some(error), Vec::new()));
    }

    /// Tells the observers what they have not heard yet.
    pub(crate) fn tell(&self) {
        self.0
            .tell(|state| state.untold.pop_front(), |reload| reload.tell());
    }

    /// Returns the text of the configuration in force.
    #[cfg(feature = "status-page")]
    pub(crate) fn text(&self) -> Option<String> {
        let in_force = self.0.with(|state| state.in_force.clone());
        in_force.map(|in_force| in_force.text.clone())
    }
}

impl AudienceState {
    fn add(&mut self, result: ReloadResult, error: Option<String>, changes: Vec<String>) {
        let Some(in_force) = &self.in_force else {
            return;
        };
        if self.observers.is_empty() {
            return;
        }
        self.untold.push_back(UntoldReload {
            observers: self.observers.clone(),
            in_force: Arc::clone(in_force),
            result,
            error,
            changes,
        });
    }
}

impl UntoldReload {
    fn tell(&self) {
        let in_force = &self.in_force;
        for observers in self.observers.iter().filter_map(WeakObservers::upgrade) {
            for policy in &in_force.policies {
                observers.tell(|| Event::PolicyKnown { policy });
            }
            observers.tell(|| Event::Reloaded {
                source: &in_force.source,
                result: self.result,
                error: self.error.as_deref(),
                changes: &self.changes,
                hash: in_force.hash,
                since: in_force.since,
            });
        }
    }
}
