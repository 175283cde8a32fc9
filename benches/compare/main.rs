//! Compares actix-throttle with other limiters, all in one process and one run. `benches/run`
//! starts it:
//!
//! - `compare measure`: measures, writes `results/raw.json` and the report
//! - `compare report`: writes the report again, from `results/raw.json`
//! - `compare serve`: only serves, for a profiler, and prints the addresses
//! - `compare memory ALGORITHM`: used by `measure`, which needs a fresh process for it

mod batches;
mod case;
mod memory;
mod prepare;
mod redis_server;
mod report;
mod results;
mod rounds;
mod server;
mod settings;
mod versions;
mod wrk;

use std::{error::Error, path::PathBuf};

use self::{
    case::PATH,
    redis_server::{RedisServer, RedisServers},
    results::Results,
    settings::Settings,
};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    // A limiter that cannot decide logs here, in addition to a status that fails the run.
    env_logger::init_from_env(env_logger::Env::default().default_filter_or("warn"));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["measure"] => {
            let results = measure(&Settings::from_env()?)?;
            results.save(&raw())?;
            report::write(&results, &folder())
        }
        ["report"] => report::write(&Results::load(&raw())?, &folder()),
        ["serve"] => serve(&Settings::from_env()?),
        ["memory", algorithm] => memory::print_in_memory(algorithm),
        _ => Err("usage: compare measure | compare report; see benches/run".into()),
    }
}

fn measure(settings: &Settings) -> Result<Results> {
    let memory = memory::measure(settings)?;
    let batches = batches::measure(settings)?;
    let servers = RedisServers::start(settings)?;
    let ports = server::start(servers.urls(), settings)?;
    let cases = settings.cases();
    prepare::warm_up(&cases, &ports, &servers)?;
    let samples = rounds::run(settings, &cases, &ports, &servers)?;
    Ok(Results {
        versions: versions::all(&servers.main)?,
        settings: settings.clone(),
        samples,
        memory,
        batches,
    })
}

/// Serves until the process is ended.
fn serve(settings: &Settings) -> Result<()> {
    let servers = RedisServers::start(settings)?;
    let ports = server::start(servers.urls(), settings)?;
    for case in settings.cases() {
        println!("{} http://127.0.0.1:{}{PATH}", case.id, ports.of(case)?);
    }
    println!("{}", servers.main.url());
    loop {
        std::thread::park();
    }
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/results"))
}

fn raw() -> PathBuf {
    folder().join("raw.json")
}
