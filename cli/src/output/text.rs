//! Texts that come from elsewhere, and lengths of time, as a person reads them.

use std::{
    io::{self, Write},
    time::Duration,
};

use actix_throttle_core::time::Micros;
use humantime::format_duration;

use crate::error::CliError;

/// Writes a line to standard output.
///
/// # Errors
///
/// If it cannot be written, as when the reader of a pipe has gone.
pub(crate) fn write_line(line: &str) -> Result<(), CliError> {
    writeln!(io::stdout(), "{line}").map_err(|error| CliError::of_output(&error))
}

/// Returns the text without what a terminal acts on: control characters, and marks that change the
/// direction of writing. Zones and keys may come from anybody who can write to the Redis.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        let is_mark = matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        if character.is_control() || is_mark {
            printable.extend(character.escape_unicode());
        } else {
            printable.push(character);
        }
    }
    printable
}

/// Returns a length in words, rounded up: to milliseconds below ten seconds, else to seconds.
pub(crate) fn duration(micros: Micros) -> String {
    let step = if micros < 10_000_000 {
        1_000
    } else {
        1_000_000
    };
    let rounded = micros.div_ceil(step).saturating_mul(step);
    format_duration(Duration::from_micros(rounded)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        assert_eq!(printable("app::login"), "app::login");
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\u{a}");
        assert_eq!(printable("\u{202e}evil"), "\\u{202e}evil");
        assert_eq!(printable("größe"), "größe");
    }

    #[test]
    fn duration_is_rounded_up() {
        for (micros, text) in [
            (0, "0s"),
            (1, "1ms"),
            (1_500_001, "1s 501ms"),
            (59_000_001, "1m"),
            (3_600_000_000, "1h"),
        ] {
            assert_eq!(duration(micros), text);
        }
    }
}
