use super::Builder;
use crate::limiter::NamedLimits;

impl Builder {
    /// What limits by name stand for.
    pub(crate) fn named_limits(mut self, named: NamedLimits) -> Self {
        self.settings.named = Some(named);
        self
    }
}
