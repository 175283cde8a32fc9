//! The arguments of all attributes.

use std::fmt;

/// An argument of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ArgName {
    Times,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
    Every,
    TimeZone,
    Limit,
    Algorithm,
    Capacity,
    Refill,
    Cost,
    Max,
    Expiry,
    Identifier,
    Name,
    Zone,
    Group,
    Unlimited,
    Block,
    MaxWait,
    SkipIf,
    RefundOn,
    Dynamic,
    OnLimited,
    FailureMode,
    Lease,
    Shadow,
    Crate,
}

/// Every argument with its name and a correct example.
const ALL: [(ArgName, &str, &str); 30] = [
    (ArgName::Times, "times", "times = 10"),
    (ArgName::Milliseconds, "milliseconds", "milliseconds = 500"),
    (ArgName::Seconds, "seconds", "seconds = 60"),
    (ArgName::Minutes, "minutes", "minutes = 1"),
    (ArgName::Hours, "hours", "hours = 1"),
    (ArgName::Days, "days", "days = 1"),
    (ArgName::Every, "every", "every = \"month\""),
    (
        ArgName::TimeZone,
        "time_zone",
        "time_zone = \"Europe/Berlin\"",
    ),
    (ArgName::Limit, "limit", "limit = \"login\""),
    (
        ArgName::Algorithm,
        "algorithm",
        "algorithm = \"token_bucket\"",
    ),
    (ArgName::Capacity, "capacity", "capacity = 20"),
    (ArgName::Refill, "refill", "refill = \"interval\""),
    (ArgName::Cost, "cost", "cost = 5"),
    (ArgName::Max, "max", "max = 5"),
    (ArgName::Expiry, "expiry", "expiry = \"30s\""),
    (ArgName::Identifier, "identifier", "identifier = ip"),
    (ArgName::Name, "name", "name = \"burst\""),
    (ArgName::Zone, "zone", "zone = \"login\""),
    (ArgName::Group, "group", "group = \"pro\""),
    (ArgName::Unlimited, "unlimited", "unlimited"),
    (ArgName::Block, "block", "block = \"60s\""),
    (ArgName::MaxWait, "max_wait", "max_wait = \"500ms\""),
    (ArgName::SkipIf, "skip_if", "skip_if = is_internal"),
    (ArgName::RefundOn, "refund_on", "refund_on = \"5xx\""),
    (ArgName::Dynamic, "dynamic", "dynamic = by_plan"),
    (ArgName::OnLimited, "on_limited", "on_limited = too_many"),
    (
        ArgName::FailureMode,
        "failure_mode",
        "failure_mode = \"closed\"",
    ),
    (ArgName::Lease, "lease", "lease = 50"),
    (ArgName::Shadow, "shadow", "shadow"),
    (
        ArgName::Crate,
        "crate",
        "crate = my_company::actix_throttle",
    ),
];

impl ArgName {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        ALL.iter()
            .find(|(_, name, _)| *name == word)
            .map(|(name, ..)| *name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        self.row().1
    }

    /// Returns the argument in correct form, for messages.
    pub(crate) fn example(self) -> &'static str {
        self.row().2
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|(name, ..)| *name)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        // The table has the order of the variants, which a test checks.
        &ALL[self as usize]
    }
}

impl fmt::Display for ArgName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (index, (name, word, _)) in ALL.iter().enumerate() {
            assert_eq!(*name as usize, index, "{word}");
            assert_eq!(ArgName::parse(word), Some(*name));
        }
    }
}
