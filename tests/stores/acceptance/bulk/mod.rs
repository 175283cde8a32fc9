//! Resets of many identities at once, and a look at all limits of one.

mod offences;
mod resets;
mod usage;
