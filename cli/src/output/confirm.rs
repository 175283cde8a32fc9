//! The question before something is deleted. It goes to standard error, so that standard output has
//! the result alone.

use std::io::{self, BufRead, IsTerminal};

use crate::error::CliError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmed {
    Yes,
    No,
}

/// Asks the person at the terminal, unless `yes` confirms already.
///
/// # Errors
///
/// If there is no terminal to ask at.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<Confirmed, CliError> {
    if yes {
        return Ok(Confirmed::Yes);
    }
    if !io::stdin().is_terminal() {
        return Err(CliError::new(format!(
            "{question} Nobody can be asked here: add `--yes`"
        )));
    }
    eprint!("{question} [y/N] ");
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| CliError::new(format!("standard input: {error}")))?;
    Ok(parse(&line))
}

fn parse(line: &str) -> Confirmed {
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Confirmed::Yes,
        _ => Confirmed::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_confirms() {
        for line in ["y\n", "Yes\n", " yes \r\n"] {
            assert_eq!(parse(line), Confirmed::Yes, "{line:?}");
        }
        for line in ["", "\n", "n\n", "yess\n", "yy\n"] {
            assert_eq!(parse(line), Confirmed::No, "{line:?}");
        }
    }
}
