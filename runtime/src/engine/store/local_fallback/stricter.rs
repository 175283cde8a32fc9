//! The stricter of two verdicts about one charge, which the layer shows where two stores count.

use std::cmp;

use actix_throttle_core::{algorithm::Wait, decision::Verdict};

pub(super) fn stricter(one: Verdict, other: Verdict) -> Verdict {
    let wait = match (one.wait, other.wait) {
        (Wait::Never, _) | (_, Wait::Never) => Wait::Never,
        (Wait::For(one), Wait::For(other)) => Wait::For(one.max(other)),
        (Wait::For(wait), Wait::None) | (Wait::None, Wait::For(wait)) => Wait::For(wait),
        (Wait::None, Wait::None) => Wait::None,
    };
    Verdict {
        wait,
        blocked: one.blocked || other.blocked,
        remaining: one.remaining.min(other.remaining),
        reset: one.reset.max(other.reset),
        more: match one.remaining.cmp(&other.remaining) {
            cmp::Ordering::Less => one.more,
            cmp::Ordering::Equal => one.more.max(other.more),
            cmp::Ordering::Greater => other.more,
        },
    }
}
