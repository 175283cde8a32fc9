//! One identity: how it stands, the forms that change it, and the form that finds it.

use actix_throttle_core::{enforcement::Enforcement, time::Micros};
use maud::{Markup, html};

use super::{
    layout::{Page, layout},
    look_up::{found, offences, until},
    words::{foreign, identity as identity_text, length, number},
};
use crate::{
    engine::{IdentitySnapshot, LookUp, Standing},
    status::{access::Access, query::Done, target::Target},
};

/// The standing of an identity. `shown` is its text, or a mask.
pub(in super::super) fn identity(
    page: &Page<'_>,
    target: &Target,
    shown: &str,
    (snapshot, look_up): (&IdentitySnapshot, &LookUp),
    now: Micros,
) -> Markup {
    let body = html! {
        p.sub { "Identity" }
        h1 { (identity_text(shown)) }
        @if let Some(done) = page.query.done {
            p.note.good role="status" { (said(done)) }
        }
        @if page.enforcement == Enforcement::Off {
            p.empty { "There is nothing to show or to change as long as that is so." }
        } @else if snapshot.standings.is_empty() {
            p.empty {
                "No limit has counted such an identity in this process yet"
                @if look_up.others.is_empty() {
                    ", so there is nothing to show or to change."
                } @else {
                    ", so there is nothing to change here."
                }
            }
            (found(snapshot, look_up, now))
        } @else {
            (standings(&snapshot.standings, now))
            @if snapshot.left_out > 0 {
                p.empty { (number(snapshot.left_out as u64)) " further limits are not shown." }
            }
            (found(snapshot, look_up, now))
            @if page.access == Access::Full {
                (forms(target, &snapshot.standings))
            }
        }
    };
    layout(page, "Identity", &body)
}

/// The form that finds an identity; `error` says why the last one was not found.
pub(in super::super) fn find(page: &Page<'_>, written: &str, error: Option<&str>) -> Markup {
    let body = html! {
        h1 { "Find an identity" }
        @if let Some(error) = error {
            p.note.bad role="alert" {
                (error)
                @if !written.is_empty() { br; span.detail { "Looked for: " (foreign(written)) } }
            }
        }
        form.card method="post" action="?view=find" {
            label for="identity" { "Identity" }
            input #identity name="identity" type="text" required autofocus autocomplete="off"
                autocapitalize="off" spellcheck="false" maxlength="4096"
                placeholder="192.0.2.1";
            p.hint {
                "An address, or what a key has: " code { "user=42" } ", " code { "path.id=7" } ", "
                code { "jwt.sub=42" } ". Of a header, cookie or parameter its value: "
                code { "header.X-Api-Key=…" } ". It is sent in the body and appears in no address."
            }
            button type="submit" { "Look it up" }
        }
    };
    layout(page, "Find an identity", &body)
}

fn standings(standings: &[Standing], now: Micros) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Policy" }
                    th scope="col" { "State" }
                    th.number scope="col" { "Remaining" }
                    th.number scope="col" { "Whole again in" }
                }
            }
            tbody {
                @for one in standings {
                    tr {
                        th scope="row" {
                            bdi { (one.policy) }
                            @if one.limit.shadow { span.badge { "shadow" } }
                            span.detail { (one.limit.text) }
                        }
                        td data-label="State" { (state(one, now)) }
                        td.number data-label="Remaining" {
                            span { (number(one.remaining.into())) " of " (number(one.limit.quota.into())) }
                            meter min="0" max=(one.limit.quota) value=(one.remaining)
                                aria-label="Remaining" {}
                        }
                        td.number data-label="Whole again in" {
                            @if one.reset_after.is_zero() { "–" } @else { (length(one.reset_after)) }
                        }
                    }
                }
            }
        }
    }
}

fn state(one: &Standing, now: Micros) -> Markup {
    let wait = one.retry_after.map(length);
    html! {
        @if one.is_blocked {
            span.badge.bad { "blocked" }
            @if let Some(left) = one.block {
                (until(left, now))
            } @else if let Some(wait) = wait {
                span.detail { "for " (wait) }
            }
        } @else if one.is_exceeded {
            span.badge.bad { "no room" }
            @if let Some(wait) = wait { span.detail { "for " (wait) } }
        } @else {
            span.badge.good { "has room" }
        }
        @if let Some(remembered) = &one.offences { (offences(remembered)) }
    }
}

/// The forms of all changes. Each leads to a page that asks for a confirmation.
fn forms(target: &Target, standings: &[Standing]) -> Markup {
    let mut policies: Vec<_> = standings.iter().map(|one| one.policy).collect();
    policies.dedup();
    html! {
        section {
            h2 { "Change it" }
            form.card method="post" action="?view=change" {
                input type="hidden" name="identity" value=(target.written);
                div.row {
                    div {
                        label for="policy" { "Under" }
                        select #policy name="policy" {
                            option value="" { "All these policies" }
                            @for policy in policies { option value=(policy) { (policy) } }
                        }
                    }
                    div {
                        label for="length" { "Block for" }
                        input #length name="length" type="text" value="10m" autocomplete="off"
                            spellcheck="false" maxlength="64";
                    }
                }
                p.hint { "Each button asks once more before anything changes." }
                div.buttons {
                    button type="submit" name="change" value="reset" { "Reset…" }
                    button.danger type="submit" name="change" value="block" { "Block…" }
                    button type="submit" name="change" value="unblock" { "Unblock…" }
                }
            }
        }
    }
}

fn said(done: Done) -> &'static str {
    match done {
        Done::Reset | Done::PartlyReset => "Its counters were reset.",
        Done::Block => "It is blocked.",
        Done::Unblock => "Its blocks were lifted.",
    }
}
