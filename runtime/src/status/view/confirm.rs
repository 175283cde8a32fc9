//! The page that asks for a confirmation before anything changes.

use actix_throttle_core::limit::{AnyLimit, Limit};
use humantime::format_duration;
use maud::{Markup, html};

use super::{
    layout::{Page, layout},
    parts::{identity_address, policy_address, reset_address},
    words::identity,
};
use crate::{
    engine::{Change, IdentitySnapshot},
    status::{form::Form, query::Done, target::Target},
};

/// A change that waits for its confirmation.
pub(in super::super) struct Confirmation<'a> {
    pub(in super::super) form: &'a Form,
    pub(in super::super) wanted: Change,
    pub(in super::super) target: &'a Target,
    /// The limits that it changes.
    pub(in super::super) limits: &'a [AnyLimit],
}

pub(in super::super) fn confirm(
    page: &Page<'_>,
    confirmation: &Confirmation<'_>,
    snapshot: &IdentitySnapshot,
) -> Markup {
    let Confirmation {
        form,
        wanted,
        target,
        limits,
    } = confirmation;
    let (question, consequence, verb) = match wanted {
        Change::Reset => (
            "Reset this identity?".to_owned(),
            "What it has used is forgotten, and a block is lifted. It has its whole quota again at \
             once.",
            "Reset it",
        ),
        Change::Block(length) => (
            format!("Block this identity for {}?", format_duration(*length)),
            "Every request of it that these limits count is denied until then. A block that it has \
             already is replaced.",
            "Block it",
        ),
        Change::Unblock => (
            "Unblock this identity?".to_owned(),
            "A block is lifted. What it has used stays counted.",
            "Unblock it",
        ),
    };
    let mut names: Vec<_> = limits.iter().map(AnyLimit::name).collect();
    names.dedup();
    let back = if target.has_address() {
        identity_address(&target.text)
    } else {
        "?view=find".to_owned()
    };
    let is_block = matches!(wanted, Change::Block(_));
    let body = html! {
        h1 { (question) }
        p.subject { (identity(&snapshot.identity.to_string())) }
        p { (consequence) }
        p { "Under " @for (index, name) in names.iter().enumerate() {
            @if index > 0 { ", " }
            b { bdi { (name) } }
        } "." }
        form.buttons method="post" action="?view=change" {
            input type="hidden" name="identity" value=(target.written);
            input type="hidden" name="policy" value=(form.policy);
            input type="hidden" name="change" value=(Done::of(*wanted).as_str());
            input type="hidden" name="length" value=(form.length);
            input type="hidden" name="confirmed" value="yes";
            button.primary.danger[is_block] type="submit" { (verb) }
            a.button href=(back) { "Cancel" }
        }
    };
    layout(page, "Confirm", &body)
}

/// The question before a policy is reset for every identity.
pub(in super::super) fn confirm_reset(page: &Page<'_>, policy: &str, limits: &[Limit]) -> Markup {
    let body = html! {
        h1 { "Reset " bdi { (policy) } " for every identity?" }
        p {
            "What each identity has used is forgotten, and blocks in the zones of these limits are "
            "lifted, with their offences. Everybody has the whole quota again at once. Permits stay."
        }
        ul.plain {
            @for limit in limits {
                li {
                    (AnyLimit::Rate(*limit).in_words())
                    span.detail { "zone " bdi { (limit.zone_name()) } }
                }
            }
        }
        form.buttons method="post" action=(reset_address(policy)) {
            input type="hidden" name="confirmed" value="yes";
            button.primary.danger type="submit" { "Reset it for everybody" }
            a.button href=(policy_address(policy)) { "Cancel" }
        }
    };
    layout(page, "Confirm", &body)
}
