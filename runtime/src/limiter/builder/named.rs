//! The builder's settings that a configuration provides and may replace: named limits, and what is
//! said about clients.

use super::Builder;
use crate::{engine::NamedLimits, identity::LiveClientSettings};

impl Builder {
    /// Sets the limits that rules refer to by name, and the settings about clients that add to the
    /// builder's own.
    pub(crate) fn live(mut self, named: NamedLimits, clients: LiveClientSettings) -> Self {
        self.engine.settings.named_limits = Some(named);
        self.http.clients.live = Some(clients);
        self
    }
}
