//! The views: what is known, as markup. They decide and change nothing.
//!
//! All text is escaped by maud. Text that a client or a file may have written stands in `bdi`, too,
//! so that its direction ends with it.

mod configuration;
mod confirm;
mod identity;
mod layout;
mod look_up;
mod overview;
mod parts;
mod policy;
mod sparkline;
mod words;

pub(super) use self::{
    configuration::configuration,
    confirm::{Confirmation, confirm, confirm_reset},
    identity::{find, identity},
    layout::{Page, STYLE, message},
    overview::overview,
    parts::{identity_address, policy_address},
    policy::policy,
};
