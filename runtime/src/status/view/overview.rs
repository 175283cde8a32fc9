//! The overview: the store, all policies, and the identities that are denied most.

use std::time::Duration;

use maud::{Markup, html};

use super::{
    configuration::latest_reload,
    layout::{Page, layout},
    parts::{badges, denials, denied, hour, policy_address},
    words::{ago, identity, length, number, rate},
};
use crate::engine::{PolicySnapshot, Snapshot, circuit_state::CircuitState};

/// The number of identities that the overview lists.
const MOST_DENIED: usize = 10;

pub(in super::super) fn overview(page: &Page<'_>, snapshot: &Snapshot) -> Markup {
    let now = snapshot.taken_at;
    let body = html! {
        (store(snapshot))
        @if let Some(configuration) = &snapshot.configuration {
            (latest_reload(configuration, now))
        }
        (tiles(snapshot))
        section {
            h2 { "Policies" }
            @if snapshot.policies.is_empty() {
                p.empty { "No limit has decided anything yet. Policies appear with their first request." }
            } @else {
                (policies(snapshot))
            }
            @if snapshot.decisions_left_out > 0 {
                p.empty {
                    (number(snapshot.decisions_left_out))
                    " decisions were of further policies: there is room for 256 of them."
                }
            }
        }
        section {
            h2 { "Denied most" }
            p.sub { "In the last half-hour to hour, in this process" }
            (denied_most(page, snapshot))
        }
        @if !snapshot.changes.is_empty() {
            section {
                h2 { "Changed by hand" }
                (changes(snapshot))
            }
        }
        p.sub {
            "Counts are those of this process, since "
            (ago(snapshot.since, now)) "."
        }
    };
    layout(page, "Overview", &body)
}

/// The store and its circuit, as one line, or as a warning.
fn store(snapshot: &Snapshot) -> Markup {
    let now = snapshot.taken_at;
    let store = &snapshot.store;
    let (name, keys) = match store.kind {
        "memory" => ("In-memory store", "keys"),
        "none" => ("No store", "keys"),
        _ => ("Redis", "keys in the local fallback"),
    };
    let (class, circuit) = match store.circuit {
        CircuitState::Closed => ("good", "circuit closed"),
        CircuitState::Open => ("bad", "circuit open: the failure mode decides"),
        CircuitState::HalfOpen => ("warn", "circuit half-open: the store is being verified"),
    };
    html! {
        p class=(format!("note {class}")) {
            b { (name) } ", " (circuit)
            @if let Some(change) = store.circuit_changes.first() {
                " since " (ago(change.at, now))
            }
            @if store.failures > 0 {
                " · " (number(store.failures))
                @if store.failures == 1 { " check" } @else { " checks" }
                " undecided"
            }
            span.detail {
                "Enforcement " (snapshot.enforcement.as_str())
                " · " (number(store.keys as u64)) " " (keys)
                @if store.evictions > 0 {
                    " · " (number(store.evictions)) " evicted to make room"
                }
            }
            @if let Some(failure) = &store.latest_failure {
                span.detail { "Latest failure " (ago(failure.at, now)) ": " bdi { (failure.reason) } }
            }
        }
    }
}

fn tiles(snapshot: &Snapshot) -> Markup {
    let sum = |of: fn(&PolicySnapshot) -> f64| snapshot.policies.iter().map(of).sum::<f64>();
    let total = |of: fn(&PolicySnapshot) -> u64| snapshot.policies.iter().map(of).sum::<u64>();
    let waiting = total(|policy| policy.waiting);
    let permits = total(|policy| policy.permits);
    html! {
        dl.tiles {
            div { dt { "Admitted" } dd { (rate(sum(|policy| policy.admitted.per_second))) small { " /s" } } }
            div.denied {
                dt { "Denied" }
                dd { (rate(sum(|policy| policy.denied.per_second))) small { " /s" } }
            }
            div { dt { "Waiting" } dd { (number(waiting)) } }
            div { dt { "Permits held" } dd { (number(permits)) } }
        }
    }
}

fn policies(snapshot: &Snapshot) -> Markup {
    html! {
        table.policies {
            thead {
                tr {
                    th scope="col" { "Policy" }
                    th.number scope="col" { "Admitted" }
                    th.number scope="col" { "Denied" }
                    th scope="col" { "Last hour" }
                }
            }
            tbody {
                @for policy in &snapshot.policies {
                    tr {
                        th scope="row" {
                            a href=(policy_address(policy.name)) { bdi { (policy.name) } }
                            (badges(policy))
                            @if let Some(limit) = policy.limits.last() {
                                span.detail { (limit.text) }
                            }
                        }
                        td.number data-label="Admitted" {
                            span { (rate(policy.admitted.per_second)) small { " /s" } }
                            span.detail { (number(policy.admitted.hour)) " in an hour" }
                        }
                        (denied_cell(policy))
                        td.chart { (hour("", policy)) }
                    }
                }
            }
        }
    }
}

/// Denied requests; of a shadow limit, those that it would have denied.
fn denied_cell(policy: &PolicySnapshot) -> Markup {
    let counts = if policy.denied.total == 0 && policy.shadow_denied.total > 0 {
        &policy.shadow_denied
    } else {
        &policy.denied
    };
    html! {
        td.number.denied[counts.hour > 0] data-label="Denied" {
            span { (rate(counts.per_second)) small { " /s" } }
            span.detail { (number(counts.hour)) " in an hour" }
        }
    }
}

fn denied_most(page: &Page<'_>, snapshot: &Snapshot) -> Markup {
    let policies = snapshot.policies.iter();
    let rows = policies.flat_map(|policy| policy.denied_most.iter().map(move |one| (policy, one)));
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|(_, one)| std::cmp::Reverse(one.denied - one.excess));
    rows.truncate(MOST_DENIED);
    html! {
        @if rows.is_empty() {
            p.empty { "Nobody was denied." }
        } @else {
            table {
                thead {
                    tr {
                        th scope="col" { "Identity" }
                        th scope="col" { "Policy" }
                        th.number scope="col" { "Denied" }
                        th.number scope="col" { "Latest" }
                    }
                }
                tbody {
                    @for (policy, one) in rows {
                        tr {
                            th scope="row" {
                                (denied(page.access, one))
                            }
                            td data-label="Policy" { bdi { (policy.name) } }
                            td.number data-label="Denied" { (denials(one)) }
                            td.number data-label="Latest" { (ago(one.latest, snapshot.taken_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn changes(snapshot: &Snapshot) -> Markup {
    html! {
        ul.log {
            @for change in &snapshot.changes {
                li {
                    (ago(change.at, snapshot.taken_at)) " "
                    b { (change.change) } " of "
                    @match change.deleted {
                        None => (identity(&change.identity)),
                        Some(deleted) => { "every identity (" (number(deleted)) " deleted)" }
                    }
                    " under " bdi { (change.policy) }
                    @if let Some(seconds) = change.seconds {
                        " for " (length(Duration::from_secs_f64(seconds)))
                    }
                }
            }
        }
    }
}
