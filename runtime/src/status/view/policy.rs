//! One policy: its limits, its last hour, and the identities that it denies most.

use maud::{Markup, html};

use super::{
    layout::{Page, layout},
    parts::{badges, denials, denied, hour, reset_address},
    words::{ago, number, rate},
};
use crate::{
    engine::{CountSnapshot, PolicySnapshot},
    status::{access::Access, query::Done},
};

pub(in super::super) fn policy(page: &Page<'_>, policy: &PolicySnapshot, now: u64) -> Markup {
    let body = html! {
        h1 { bdi { (policy.name) } (badges(policy)) }
        (done(page))
        (hour("wide", policy))
        p.legend {
            span.key.admitted {} "admitted"
            span.key.denied {} "denied"
            @if policy.shadow_denied.total > 0 { span.key.shadow {} "would have been denied" }
            span.end { "one hour, by the minute" }
        }
        table {
            thead {
                tr {
                    th scope="col" { "Requests" }
                    th.number scope="col" { "Now" }
                    th.number scope="col" { "Last hour" }
                    th.number scope="col" { "Total" }
                }
            }
            tbody {
                (counts("Admitted", &policy.admitted))
                (counts("Denied", &policy.denied))
                @if policy.shadow_denied.total > 0 {
                    (counts("Would have been denied", &policy.shadow_denied))
                }
                @if policy.undecided.total > 0 {
                    (counts("Undecided: the store failed", &policy.undecided))
                }
            }
        }
        section {
            h2 { "Limits" }
            ul.plain {
                @for limit in &policy.limits {
                    li {
                        (limit.text)
                        @if limit.shadow { span.badge { "shadow" } }
                        span.detail { "zone " bdi { (limit.zone) } }
                    }
                }
            }
            @if page.access == Access::Full {
                p { a.button href=(reset_address(policy.name)) { "Reset for every identity…" } }
            }
        }
        section {
            h2 { "In this process" }
            dl.facts {
                dt { "Waiting in queues" } dd { (number(policy.waiting)) }
                dt { "Permits held" } dd { (number(policy.permits)) }
                @if policy.leased > 0 {
                    dt { "Leased" } dd { (number(policy.leased)) }
                    dt { "Leases returned unused" } dd { (number(policy.lease_returned)) }
                }
            }
        }
        section {
            h2 { "Denied most" }
            p.sub { "In the last half-hour to hour, in this process" }
            @if policy.denied_most.is_empty() {
                p.empty { "Nobody was denied." }
            } @else {
                (denied_most(page, policy, now))
            }
        }
    };
    layout(page, policy.name, &body)
}

/// The message on a reset for every identity.
fn done(page: &Page<'_>) -> Markup {
    html! {
        @match page.query.done {
            Some(Done::Reset) => p.note.good role="status" {
                "Its counters were reset for every identity."
            },
            Some(Done::PartlyReset) => p.note.warn role="status" {
                "Counters may be left: the store has too many keys to look at all of them at once, "
                "or the policy has had more limits than this process remembers. To reset them all, "
                "use " code { "throttle redis reset --all" } "."
            },
            _ => {}
        }
    }
}

fn counts(what: &str, counts: &CountSnapshot) -> Markup {
    html! {
        tr {
            th scope="row" { (what) }
            td.number data-label="Now" { span { (rate(counts.per_second)) small { " /s" } } }
            td.number data-label="Last hour" { (number(counts.hour)) }
            td.number data-label="Total" { (number(counts.total)) }
        }
    }
}

fn denied_most(page: &Page<'_>, policy: &PolicySnapshot, now: u64) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Identity" }
                    th.number scope="col" { "Denied" }
                    th.number scope="col" { "Latest" }
                }
            }
            tbody {
                @for one in &policy.denied_most {
                    tr {
                        th scope="row" {
                            (denied(page.access, one))
                        }
                        td.number data-label="Denied" { (denials(one)) }
                        td.number data-label="Latest" { (ago(one.latest, now)) }
                    }
                }
            }
        }
    }
}
