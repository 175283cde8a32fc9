//! Carries out a command.

use crate::{
    arguments::{Arguments, Command},
    counters,
    error::{Answer, CliError},
    files, generate,
};

/// Carries out the command of the arguments.
///
/// # Errors
///
/// If it cannot be carried out.
pub(crate) fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    match &arguments.command {
        Command::Check(check) => files::check(check, arguments.json),
        Command::Diff(diff) => files::diff(diff, arguments.json),
        Command::Redis(redis) => counters::run(redis, arguments.json),
        Command::Completions { shell } => generate::completions(*shell).map(|()| Answer::Yes),
        Command::Man => generate::man().map(|()| Answer::Yes),
    }
}
