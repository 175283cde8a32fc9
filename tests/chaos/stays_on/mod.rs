//! Limits stay on, by default settings, while the store is well and something beside it is slow,
//! cut or idle; and they are back in proportion to what happened where it was not.

mod busy;
mod cuts;
mod moved;
mod paths;
mod service;
mod stalls;
