//! The pauses of calls: which responses cause one, and what is paused.

use actix_throttle_core::{
    identity::Identity,
    limit::{Algorithm, Limit},
    status_set::{StatusSet, StatusSetError},
};

/// The limit whose zone holds the pauses of hosts. It is never charged: a call only waits for the
/// end of a block.
pub(super) const PAUSE: Limit = Limit::per_second(1)
    .algorithm(Algorithm::FixedWindow)
    .name("outgoing-pause")
    .zone("outgoing-pause");

/// The settings of pauses.
#[derive(Clone, Debug, Default)]
pub(super) struct Pauses {
    /// The statuses that pause calls; `None` for the default.
    statuses: Option<Result<StatusSet, StatusSetError>>,
    pub(super) per_host: bool,
}

impl Pauses {
    pub(super) fn set(&mut self, statuses: &str) {
        self.statuses = Some(statuses.parse());
    }

    pub(super) fn validate(&self) -> Result<(), StatusSetError> {
        match &self.statuses {
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Returns whether a response with this status may pause calls.
    pub(super) fn is_on(&self, status: u16) -> bool {
        match &self.statuses {
            None => matches!(status, 429 | 503),
            Some(Ok(statuses)) => statuses.contains(status),
            Some(Err(_)) => false,
        }
    }

    /// Returns whether a used-up quota pauses calls until its reset. It does only if statuses were
    /// set: an application that set none was written when nothing but `Retry-After` paused calls.
    pub(super) fn reads_reset(&self) -> bool {
        self.statuses.is_some()
    }

    /// Returns the identity of a host, if hosts are paused.
    pub(super) fn identity_of(&self, host: &str) -> Option<Identity> {
        self.per_host.then(|| Identity::new(host.to_owned()))
    }
}
