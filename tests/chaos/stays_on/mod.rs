//! Limits with default settings stay on while Redis is well and something beside it is slow, cut or
//! idle. When Redis was not well, the time without limits stays in proportion to the failure.

mod busy;
mod cuts;
mod moved;
mod paths;
mod service;
mod stalls;
