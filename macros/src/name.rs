//! The arguments of all attributes.

use std::fmt;

use actix_throttle_core::vocabulary::{self, Argument, ValueKind};

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
    SlowAfter,
    SlowBy,
    SlowMax,
    SkipIf,
    RefundOn,
    Settle,
    Dynamic,
    OnLimited,
    FailureMode,
    Lease,
    Shadow,
    Crate,
}

/// Every argument with its row of the one table, which has its name and an example.
static ALL: [(ArgName, &Argument); 34] = [
    (ArgName::Times, &vocabulary::TIMES),
    (ArgName::Milliseconds, &vocabulary::MILLISECONDS),
    (ArgName::Seconds, &vocabulary::SECONDS),
    (ArgName::Minutes, &vocabulary::MINUTES),
    (ArgName::Hours, &vocabulary::HOURS),
    (ArgName::Days, &vocabulary::DAYS),
    (ArgName::Every, &vocabulary::EVERY),
    (ArgName::TimeZone, &vocabulary::TIME_ZONE),
    (ArgName::Limit, &vocabulary::LIMIT),
    (ArgName::Algorithm, &vocabulary::ALGORITHM),
    (ArgName::Capacity, &vocabulary::CAPACITY),
    (ArgName::Refill, &vocabulary::REFILL),
    (ArgName::Cost, &vocabulary::COST),
    (ArgName::Max, &vocabulary::MAX),
    (ArgName::Expiry, &vocabulary::EXPIRY),
    (ArgName::Identifier, &vocabulary::IDENTIFIER),
    (ArgName::Name, &vocabulary::NAME),
    (ArgName::Zone, &vocabulary::ZONE),
    (ArgName::Group, &vocabulary::GROUP),
    (ArgName::Unlimited, &vocabulary::UNLIMITED),
    (ArgName::Block, &vocabulary::BLOCK),
    (ArgName::MaxWait, &vocabulary::MAX_WAIT),
    (ArgName::SlowAfter, &vocabulary::SLOW_AFTER),
    (ArgName::SlowBy, &vocabulary::SLOW_BY),
    (ArgName::SlowMax, &vocabulary::SLOW_MAX),
    (ArgName::SkipIf, &vocabulary::SKIP_IF),
    (ArgName::RefundOn, &vocabulary::REFUND_ON),
    (ArgName::Settle, &vocabulary::SETTLE),
    (ArgName::Dynamic, &vocabulary::DYNAMIC),
    (ArgName::OnLimited, &vocabulary::ON_LIMITED),
    (ArgName::FailureMode, &vocabulary::FAILURE_MODE),
    (ArgName::Lease, &vocabulary::LEASE),
    (ArgName::Shadow, &vocabulary::SHADOW),
    (ArgName::Crate, &vocabulary::CRATE),
];

impl ArgName {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let mut arguments = ALL.iter();
        let (name, _) = arguments.find(|(_, argument)| argument.name == word)?;
        Some(*name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        self.argument().name
    }

    /// Returns the argument in correct form, for messages.
    pub(crate) fn example(self) -> String {
        let Argument {
            name,
            kind,
            example,
            ..
        } = self.argument();
        match kind {
            ValueKind::Flag => (*name).to_owned(),
            // The attribute writes sources as code, and the file as text.
            ValueKind::Identifier => format!("{name} = ip"),
            _ => format!("{name} = {example}"),
        }
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|(name, _)| *name)
    }

    fn argument(self) -> &'static Argument {
        // The table has the order of the variants, which a test checks.
        ALL[self as usize].1
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
        for (index, (name, argument)) in ALL.iter().enumerate() {
            assert_eq!(*name as usize, index, "{name}");
            assert_eq!(ArgName::parse(argument.name), Some(*name));
        }
    }
}
