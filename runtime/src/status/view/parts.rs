//! Parts that several views show.

use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    sparkline::{Series, sparkline},
    words::{identity, number},
};
use crate::{
    engine::{DeniedIdentity, PolicySnapshot},
    status::access::Access,
};

/// The badges of a policy: what is unusual about it.
pub(super) fn badges(policy: &PolicySnapshot) -> Markup {
    let is_shadow = policy.limits.last().is_some_and(|limit| limit.shadow);
    html! {
        @if is_shadow { span.badge { "shadow" } }
        @if policy.waiting > 0 { span.badge.warn { (number(policy.waiting)) " waiting" } }
        @if policy.permits > 0 { span.badge { (number(policy.permits)) " permits" } }
        @if policy.undecided.hour > 0 {
            span.badge.bad { (number(policy.undecided.hour)) " undecided" }
        }
    }
}

/// The chart of a policy's last hour.
pub(super) fn hour(class: &'static str, policy: &PolicySnapshot) -> Markup {
    let label = format!(
        "Last hour: {} admitted, {} denied, {} of them by a shadow limit",
        policy.admitted.hour,
        policy.denied.hour + policy.shadow_denied.hour,
        policy.shadow_denied.hour
    );
    sparkline(
        class,
        &label,
        &[
            Series {
                class: "admitted",
                minutes: &policy.admitted.minutes,
            },
            Series {
                class: "shadow",
                minutes: &policy.shadow_denied.minutes,
            },
            Series {
                class: "denied",
                minutes: &policy.denied.minutes,
            },
        ],
    )
}

/// The address of a policy's view.
pub(in super::super) fn policy_address(name: &str) -> String {
    format!("?policy={}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

/// The address of the reset of a policy.
pub(super) fn reset_address(name: &str) -> String {
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("?view=reset&policy={name}")
}

/// The number of denials of an identity, with the bounds of a sketch that was full.
pub(super) fn denials(one: &DeniedIdentity) -> Markup {
    html! {
        @if one.excess == 0 {
            (number(one.denied))
        } @else {
            (number(one.denied - one.excess)) "–" (number(one.denied))
        }
    }
}

/// An identity that is denied, with a link to it where there is something to do.
pub(super) fn denied(access: Access, one: &DeniedIdentity) -> Markup {
    html! {
        @if access == Access::Full && one.is_known {
            a href=(identity_address(&one.identity)) { (identity(&one.identity)) }
        } @else {
            (identity(&one.identity))
        }
    }
}

/// The address of an identity's view.
pub(in super::super) fn identity_address(text: &str) -> String {
    format!("?identity={}", utf8_percent_encode(text, NON_ALPHANUMERIC))
}
