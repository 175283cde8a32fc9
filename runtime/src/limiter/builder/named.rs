//! The builder's settings that a configuration provides and may replace: named limits, what is said
//! about clients, and the enforcement.

use super::Builder;
use crate::{
    engine::{LiveEnforcement, NamedLimits},
    identity::LiveClientSettings,
};

impl Builder {
    /// Sets the limits that rules refer to by name, the settings about clients that add to the
    /// builder's own, and the enforcement.
    pub(crate) fn live(
        mut self,
        named: NamedLimits,
        clients: LiveClientSettings,
        enforcement: LiveEnforcement,
    ) -> Self {
        self.engine.settings.live_enforcement = Some(enforcement);
        self.engine.settings.named_limits = Some(named);
        self.http.clients.live = Some(clients);
        self
    }
}
