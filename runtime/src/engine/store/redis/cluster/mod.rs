//! The needs of a cluster alone: checks that name keys of several slots, and slots that move.

pub(super) mod migration;
pub(super) mod part;
mod rollback;
mod single_key;
mod split;
