//! `throttle`: checks configuration files of actix-throttle, and looks at and changes counters in a
//! Redis by the layout of their keys. No application is needed, and none is asked.
//!
//! The exit status is 0; 1 if what was checked is not so; and 2 for wrong usage, or if it could not
//! be found out.

mod arguments;
mod counters;
mod error;
mod files;
mod generate;
mod output;
mod run;
mod server;

use std::process::ExitCode;

use clap::Parser;

use self::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run::run(&arguments) {
        Ok(answer) => answer.into(),
        Err(error) if error.has_no_reader() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error::EXIT_STATUS)
        }
    }
}
