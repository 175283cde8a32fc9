//! The result of a look-up of an identity in the store: blocks, offences, and the usage of limits
//! that this process has not decided.

use std::time::Duration;

use actix_throttle_core::time::{Micros, to_micros};
use maud::{Markup, html};

use super::words::{foreign, length, moment, number};
use crate::engine::{IdentitySnapshot, LimitUsage, LookUp, Offences, UsageState};

/// The end of a block.
pub(super) fn until(left: Duration, now: Micros) -> Markup {
    let end = now.saturating_add(to_micros(left)).div_ceil(1_000_000);
    html! {
        span.detail { "for " (length(left)) }
        @if let Some(end) = moment(end) { span.detail { "until " (end) } }
    }
}

/// The offences that are remembered, and what the next one does.
pub(super) fn offences(offences: &Offences) -> Markup {
    html! {
        span.detail { (offences.in_words()) }
        span.detail { "the next one blocks for " (length(offences.next_block)) }
        span.detail { "forgotten in " (length(offences.forgotten_after)) }
    }
}

/// The usage of limits that have no row of their own, and whether that may be all.
pub(super) fn found(snapshot: &IdentitySnapshot, look_up: &LookUp, now: Micros) -> Markup {
    // Limits that were left out have decided, and are found as well.
    let limits = if snapshot.left_out > 0 {
        "Limits that have no row above."
    } else {
        "Limits that have not decided anything in this process."
    };
    html! {
        @if !look_up.others.is_empty() {
            section {
                h2 { "Also in the store" }
                p.sub {
                    (limits) " Changes on this page leave them alone; " code { "throttle redis" }
                    " finds them."
                }
                (others(&look_up.others, now))
                @if look_up.left_out > 0 {
                    p.empty { (number(look_up.left_out as u64)) " further ones are not shown." }
                }
            }
        }
        @if let Some(error) = &look_up.error {
            p.note.warn role="status" {
                "The store could not be searched, so blocks and limits may be missing: "
                bdi { (error) }
            }
        } @else if !look_up.is_complete {
            p.note.warn role="status" {
                "The search has ended after about " (number(look_up.looked_at)) " keys, before it "
                "came to the end of the store: blocks and limits may be missing. "
                code { "throttle redis show" } " goes on for as long as you like."
            }
        }
    }
}

fn others(others: &[LimitUsage], now: Micros) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Zone" }
                    th scope="col" { "Limit" }
                    th scope="col" { "State" }
                    th.number scope="col" { "Whole again in" }
                }
            }
            tbody {
                @for one in others {
                    tr {
                        th scope="row" { (foreign(one.zone())) }
                        td data-label="Limit" { (one.in_words()) }
                        td data-label="State" {
                            (state(one, now))
                            @if let Some(remembered) = &one.offences() { (offences(remembered)) }
                        }
                        td.number data-label="Whole again in" { (reset(one)) }
                    }
                }
            }
        }
    }
}

fn state(one: &LimitUsage, now: Micros) -> Markup {
    html! {
        @match one.state() {
            UsageState::Used { used, is_estimate, .. } => {
                @if is_estimate { "about " }
                (number(used.into())) " used"
            }
            UsageState::Held { permits, .. } => { (number(permits.into())) " held" }
            UsageState::Blocked { left } => {
                span.badge.bad { "blocked" }
                (until(left, now))
            }
            UsageState::BlockEnded => span.badge { "block over" },
            UsageState::Unreadable => span.badge.warn { "unreadable" },
        }
    }
}

fn reset(one: &LimitUsage) -> String {
    let left = match one.state() {
        UsageState::Used { reset_after, .. } => reset_after,
        UsageState::Held { longest, .. } => Some(longest),
        _ => None,
    };
    left.map_or_else(|| "–".to_owned(), length)
}
