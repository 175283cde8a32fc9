//! The names of the options that a rule has. The middleware refuses those that make no sense.

use actix_throttle_core::limit::LimitOptions;

use super::Rule;

impl Rule {
    /// The options of a limit that are set, by their names.
    ///
    /// All fields are named, so a new one does not compile until it is listed.
    pub(in crate::http) fn options(&self) -> impl Iterator<Item = &'static str> {
        let Self {
            limit: _,
            identifier: _,
            group: _,
            cost: _,
            // It says which requests the rule is for.
            skip_if: _,
            dynamic: _,
            on_limited,
            options:
                LimitOptions {
                    failure_mode,
                    refund_on: _,
                    settle: _,
                    max_wait,
                    slow_down,
                },
            shadow: _,
        } = self;
        let options = [
            ("on_limited", on_limited.is_some()),
            ("failure_mode", failure_mode.is_some()),
            ("max_wait", max_wait.is_some()),
            ("slow_after", slow_down.after.is_some()),
            ("slow_by", slow_down.by.is_some()),
            ("slow_max", slow_down.max.is_some()),
        ];
        let set = options.into_iter().filter(|(_, is_set)| *is_set);
        self.options_of_rate().chain(set.map(|(name, _)| name))
    }

    /// The options that only a rate has and that are set, by their names, without a slow-down.
    pub(in crate::http) fn options_of_rate(&self) -> impl Iterator<Item = &'static str> {
        let options = [
            ("cost", self.cost.is_some()),
            ("dynamic", self.dynamic.is_some()),
            ("refund_on", self.options.refund_on.is_some()),
            ("settle", self.settles()),
        ];
        let set = options.into_iter().filter(|(_, is_set)| *is_set);
        set.map(|(name, _)| name)
    }
}
