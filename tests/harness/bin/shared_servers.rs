//! The set-up script of a run with cargo-nextest. It starts the servers that all tests share and
//! writes their ports into the file that `NEXTEST_ENV` names. cargo-nextest calls it before the
//! first test.
//!
//! The servers live as long as cargo-nextest does. A set-up script has to end before the tests
//! begin, so it leaves a copy of itself, the supervisor, running; the supervisor owns the servers.

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    os::unix::process::{CommandExt, parent_id},
    process::{Command, Stdio},
};

use harness::SharedServers;

/// The line that the supervisor prints after the last variable, when all servers are up.
const READY: &str = "ready";

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => set_up(),
        Some(run) => {
            let is_quick = env::var("NEXTEST_PROFILE").is_ok_and(|profile| profile == "quick");
            let servers = if is_quick {
                SharedServers::start_few()
            } else {
                SharedServers::start()
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
    let log = fs::File::create(format!("{target}.supervisor.log"))?;
    let mut supervisor = Command::new(env::current_exe()?)
        .arg(parent_id().to_string())
        // A process group of its own: Ctrl-C must end the run, not the supervisor, as a test may
        // still be using the servers for a moment.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let mut variables = String::new();
    for line in BufReader::new(supervisor.stdout.take().ok_or("piped")?).lines() {
        let line = line?;
        if line == READY {
            fs::write(target, variables)?;
            return Ok(());
        }
        variables += &line;
        variables.push('\n');
    }
    let reason = fs::read_to_string(format!("{target}.supervisor.log"))?;
    Err(format!("the shared servers do not start:\n{reason}").into())
}
