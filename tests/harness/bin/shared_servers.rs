//! The set-up script of a run with cargo-nextest: it starts the servers that all tests share and
//! writes their ports into the file that `NEXTEST_ENV` names.
//!
//! The servers live as long as cargo-nextest does. A set-up script has to end before the tests begin,
//! so it leaves a copy of itself behind that keeps them.

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    os::unix::process::{CommandExt, parent_id},
    process::{Command, Stdio},
};

use harness::SharedServers;

/// What the keeper says after the variables.
const READY: &str = "ready";

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => set_up(),
        Some(run) => {
            let is_quick = env::var("NEXTEST_PROFILE").is_ok_and(|profile| profile == "quick");
            let servers = match is_quick {
                true => SharedServers::start_few(),
                false => SharedServers::start(),
            };
            print!("{}", servers.variables());
            println!("{READY}");
            servers.keep_while_alive(run.parse()?);
            Ok(())
        }
    }
}

fn set_up() -> Result<(), Box<dyn Error>> {
    let target = env::var("NEXTEST_ENV")?;
    let log = fs::File::create(format!("{target}.keeper.log"))?;
    let mut keeper = Command::new(env::current_exe()?)
        .arg(parent_id().to_string())
        // An interrupt from the keyboard is for the run alone, which tests may outlive for a moment.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let mut variables = String::new();
    for line in BufReader::new(keeper.stdout.take().ok_or("piped")?).lines() {
        let line = line?;
        if line == READY {
            fs::write(target, variables)?;
            return Ok(());
        }
        variables += &line;
        variables.push('\n');
    }
    let reason = fs::read_to_string(format!("{target}.keeper.log"))?;
    Err(format!("the shared servers do not start:\n{reason}").into())
}
