//! The commands, and the arguments of those about files.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::redis::RedisArguments;

/// Checks configuration files of actix-throttle, and looks at and changes counters in Redis or
/// Valkey.
///
/// The exit status is 0; 1 if what was checked is not so (errors in the file, no such identity);
/// and 2 for wrong usage, or if the file or Redis could not be read.
#[derive(Debug, Parser)]
#[command(name = "throttle", version)]
pub(crate) struct Arguments {
    /// Write JSON, one document a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a configuration file
    Check(CheckArguments),
    /// Show what a new configuration file changes
    Diff(DiffArguments),
    /// Look at and change counters in Redis or Valkey
    Redis(RedisArguments),
    /// Write completions for a shell to standard output
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the man page to standard output
    Man,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// The file; its name ends in .toml, .yaml or .yml
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) identifiers: Identifiers,
}

#[derive(Args, Debug)]
pub(crate) struct DiffArguments {
    /// The file in force
    pub(crate) old: PathBuf,
    /// The file that is to replace it
    pub(crate) new: PathBuf,
    /// End with status 1 if the files differ
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) identifiers: Identifiers,
}

/// The names that an application gives to its identifiers. A file may use no other ones.
#[derive(Args, Debug)]
pub(crate) struct Identifiers {
    /// A name that the application gives to an identifier [can be repeated]
    #[arg(long = "identifier", value_name = "NAME")]
    pub(crate) names: Vec<String>,
}
