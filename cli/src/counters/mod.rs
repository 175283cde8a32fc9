//! `throttle redis`: counters, permits and blocks, found by the layout of their keys.

mod block;
mod delete;
mod delete_all;
mod entry;
mod find;
mod list;
mod read;
mod run;
mod scan;
mod show;
mod top;
mod view;

pub(crate) use self::run::run;
