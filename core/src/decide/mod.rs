//! The decision on a check: all of its limits are charged, or none. This is the only place that
//! decides; the in-memory store and the [`replay`](crate::replay) give it their states, and the
//! script is its twin on Redis.
//!
//! [`decide`] takes any check. [`decide_charge`] takes the check of one limit, which most requests
//! have, in a single step. The functions on one charge are for stores that record what another
//! store has decided.

mod block;
mod charge;
mod check;
mod settle;
mod states;

pub use self::{
    block::{Block, Precedence},
    charge::{decide_charge, peek, receipt, release, try_charge},
    check::decide,
    states::{ChargeStates, StateEntry, States, Usage},
};
