//! The builder's setting for named limits, which a configuration provides.

use super::Builder;
use crate::engine::NamedLimits;

impl Builder {
    /// Sets the limits that rules refer to by name.
    pub(crate) fn named_limits(mut self, named: NamedLimits) -> Self {
        self.engine.settings.named_limits = Some(named);
        self
    }
}
