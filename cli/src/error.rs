//! How a command ends: with a result, or with an error in place of one.

use std::{fmt, io, process::ExitCode};

/// The exit status of an error, as clap has it for wrong usage.
pub(crate) const EXIT_STATUS: u8 = 2;

/// The result of a command that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    /// The check has failed: the file is invalid, or no such identity has counters.
    No,
}

impl From<Answer> for ExitCode {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Yes => Self::SUCCESS,
            Answer::No => Self::FAILURE,
        }
    }
}

/// The reason why a command could not be carried out, and what to do about it.
#[derive(Clone, Debug)]
pub(crate) struct CliError {
    reason: String,
    /// Whether what reads standard output has gone, as `head` does. That is no error.
    has_no_reader: bool,
}

impl CliError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            has_no_reader: false,
        }
    }

    /// The error of writing to standard output.
    pub(crate) fn of_output(error: &io::Error) -> Self {
        Self {
            reason: format!("standard output: {error}"),
            has_no_reader: error.kind() == io::ErrorKind::BrokenPipe,
        }
    }

    /// Puts what was attempted before the reason.
    pub(crate) fn while_doing(self, what: &str) -> Self {
        Self {
            reason: format!("{what}: {}", self.reason),
            ..self
        }
    }

    pub(crate) fn has_no_reader(&self) -> bool {
        self.has_no_reader
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
