//! The arguments the attribute knows.

use std::fmt;

use crate::nearest::nearest;

/// One argument of the attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ArgName {
    Times,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
    Limit,
    Algorithm,
    Capacity,
    Refill,
    Cost,
    Identifier,
    Name,
    Zone,
    Group,
    Unlimited,
    Block,
    SkipIf,
    RefundOn,
    Dynamic,
    OnLimited,
    FailureMode,
    Lease,
    Shadow,
}

/// Every argument: its name, and how it is written correctly.
const ALL: [(ArgName, &str, &str); 24] = [
    (ArgName::Times, "times", "times = 10"),
    (ArgName::Milliseconds, "milliseconds", "milliseconds = 500"),
    (ArgName::Seconds, "seconds", "seconds = 60"),
    (ArgName::Minutes, "minutes", "minutes = 1"),
    (ArgName::Hours, "hours", "hours = 1"),
    (ArgName::Days, "days", "days = 1"),
    (ArgName::Limit, "limit", "limit = \"login\""),
    (
        ArgName::Algorithm,
        "algorithm",
        "algorithm = \"token_bucket\"",
    ),
    (ArgName::Capacity, "capacity", "capacity = 20"),
    (ArgName::Refill, "refill", "refill = \"interval\""),
    (ArgName::Cost, "cost", "cost = 5"),
    (ArgName::Identifier, "identifier", "identifier = ip"),
    (ArgName::Name, "name", "name = \"burst\""),
    (ArgName::Zone, "zone", "zone = \"login\""),
    (ArgName::Group, "group", "group = \"pro\""),
    (ArgName::Unlimited, "unlimited", "unlimited"),
    (ArgName::Block, "block", "block = \"60s\""),
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
];

/// What other limiters call these arguments, too unlike our names for a comparison of letters.
const ELSEWHERE: [(&str, &str); 16] = [
    ("max", "times"),
    ("rate", "times"),
    ("count", "times"),
    ("requests", "times"),
    ("per", "seconds"),
    ("period", "seconds"),
    ("window", "seconds"),
    ("interval", "seconds"),
    ("burst", "capacity"),
    ("weight", "cost"),
    ("key", "identifier"),
    ("key_by", "identifier"),
    ("by", "identifier"),
    ("skip", "skip_if"),
    ("dry_run", "shadow"),
    ("scope", "zone"),
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

    /// The argument written correctly, to be shown in a message.
    pub(crate) fn example(self) -> &'static str {
        self.row().2
    }

    pub(crate) fn all() -> Vec<&'static str> {
        ALL.iter().map(|(_, name, _)| *name).collect()
    }

    /// The argument that the author of the unknown `word` most likely had in mind.
    pub(crate) fn meant_by(word: &str) -> Option<Self> {
        let known = ELSEWHERE
            .iter()
            .find(|(other, _)| *other == word)
            .map(|(_, ours)| *ours);
        // What this version leaves out has no other name here: a similar one would mislead.
        let left_out = word == "max_wait";
        known
            .or_else(|| nearest(word, Self::all()).filter(|_| !left_out))
            .and_then(Self::parse)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        // The table is in the order of the variants; a test holds it to that.
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

    #[test]
    fn words_from_elsewhere_lead_to_ours() {
        assert_eq!(ArgName::meant_by("max"), Some(ArgName::Times));
        assert_eq!(ArgName::meant_by("secs"), Some(ArgName::Seconds));
        assert_eq!(ArgName::meant_by("ms"), Some(ArgName::Milliseconds));
        assert_eq!(ArgName::meant_by("key"), Some(ArgName::Identifier));
        assert_eq!(ArgName::meant_by("fail_open"), Some(ArgName::FailureMode));
        assert_eq!(ArgName::meant_by("leas"), Some(ArgName::Lease));
        assert_eq!(ArgName::meant_by("refund"), Some(ArgName::RefundOn));
        assert_eq!(ArgName::meant_by("max_wait"), None);
    }
}
