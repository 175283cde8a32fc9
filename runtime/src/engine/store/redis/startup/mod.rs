//! The startup check: what `init` asks of the server, and the error that tells an operator what to
//! change.

mod check;
mod classify;
mod server_info;
