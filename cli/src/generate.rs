//! Completions and the man page, made of the arguments by clap.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::{arguments::Arguments, error::CliError};

/// Writes the completions for a shell to standard output.
///
/// # Errors
///
/// If they cannot be written.
pub(crate) fn completions(shell: Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "throttle", &mut script);
    write(&script)
}

/// Writes the man page to standard output, with a part for each command.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn man() -> Result<(), CliError> {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    let rendered = Man::new(command.clone()).render(&mut page);
    rendered.map_err(|error| CliError::new(format!("the man page: {error}")))?;
    for command in leaves(&command) {
        let rendered = part(command, &mut page);
        rendered.map_err(|error| CliError::new(format!("the man page: {error}")))?;
    }
    write(&page)
}

/// The commands that have no commands below them, but for `help`.
fn leaves(command: &clap::Command) -> Vec<clap::Command> {
    let below = command
        .get_subcommands()
        .filter(|below| below.get_name() != "help");
    let below: Vec<_> = below.flat_map(leaves).collect();
    if below.is_empty() {
        vec![command.clone()]
    } else {
        below
    }
}

fn part(command: clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_bin_name().unwrap_or_default().to_owned();
    writeln!(page, ".SH \"{}\"", name.to_uppercase())?;
    let man = Man::new(command);
    man.render_description_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_options_section(page)
}

fn write(bytes: &[u8]) -> Result<(), CliError> {
    let written = io::stdout().write_all(bytes);
    written.map_err(|error| CliError::of_output(&error))
}
