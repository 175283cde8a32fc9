//! The arguments of the command line. clap makes the help, the completions and the man page of
//! them.

mod redis;
mod top_level;

pub(crate) use self::{
    redis::{Action, BlockArguments, RedisArguments, ServerArguments, Watch},
    top_level::{Arguments, CheckArguments, Command, DiffArguments},
};
