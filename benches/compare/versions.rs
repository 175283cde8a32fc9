//! The versions of everything that was measured.

use std::{fs, process::Command};

use serde::{Deserialize, Serialize};

use crate::{RedisServer, Result};

/// The crates whose figures are in the report.
const CRATES: [&str; 11] = [
    "actix-throttle",
    "actix-web",
    "redis",
    "tokio",
    "actix-extensible-rate-limit",
    "actix-governor",
    "governor",
    "actix-limitation",
    "actix-trypema",
    "trypema",
    "dashmap",
];
/// The lock file of this build, so the versions are those in the program.
const LOCK: &str = include_str!("../Cargo.lock");

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Versions {
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    pub(crate) redis: String,
    pub(crate) wrk: String,
    /// Name and versions.
    pub(crate) crates: Vec<(String, String)>,
}

pub(crate) fn all(redis: &RedisServer) -> Result<Versions> {
    let info: String = redis::cmd("INFO")
        .arg("server")
        .query(&mut redis.connect()?)?;
    Ok(Versions {
        date: said_by("date", &["-u", "+%Y-%m-%d"]),
        cpu: field("/proc/cpuinfo", "model name"),
        cores: std::thread::available_parallelism()?.get(),
        memory: field("/proc/meminfo", "MemTotal"),
        kernel: said_by("uname", &["-sr"]),
        rustc: said_by("rustc", &["--version"]),
        redis: value(&info, "redis_version"),
        wrk: said_by("wrk", &["-v"])
            .split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" "),
        crates: CRATES.iter().map(|name| locked(name)).collect(),
    })
}

/// Returns the first line that a program prints. Ignores the exit status: wrk fails after printing
/// its version.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let line = text.as_deref().ok().and_then(|text| text.lines().next());
    line.unwrap_or("unknown").to_owned()
}

fn field(file: &str, name: &str) -> String {
    value(&fs::read_to_string(file).unwrap_or_default(), name)
}

/// Returns what follows a name and a colon.
fn value(text: &str, name: &str) -> String {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let pair = pairs.find(|(found, _)| found.trim() == name);
    pair.map_or("unknown", |(_, value)| value.trim()).to_owned()
}

/// Returns a crate's versions in the lock file.
fn locked(name: &str) -> (String, String) {
    let before = format!("name = \"{name}\"\nversion = \"");
    let versions: Vec<&str> = LOCK
        .split(&before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    (name.to_owned(), versions.join(", "))
}
