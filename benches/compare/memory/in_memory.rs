//! Measures the memory of a key in the in-memory store, by the resident set of the process. A
//! counting allocator would slow down every case of this program, and would miss the allocator's
//! own waste.

use std::{fs, net::Ipv4Addr, process::Command};

use actix_throttle::{Identity, RateLimiter};

use super::ALGORITHMS;
use crate::{Result, case::MILLION};

/// The first client's address, 10.0.0.0.
const FIRST: u32 = 0x0a00_0000;

/// Measures in a child process: memory that earlier work left in the allocator would be reused and
/// hide the need.
pub(super) fn in_a_fresh_process(algorithm: &str) -> Result<f64> {
    let program = std::env::current_exe()?;
    let output = Command::new(program).args(["memory", algorithm]).output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().map_err(|_| {
        let errors = String::from_utf8_lossy(&output.stderr);
        format!("no memory of {algorithm}: {text}{errors}").into()
    })
}

/// Runs in the child: prints the bytes for each key to standard output.
pub(crate) fn print(algorithm: &str) -> Result<()> {
    let limit = ALGORITHMS.iter().find(|(name, _)| *name == algorithm);
    let (_, limit) = limit.ok_or("no such algorithm")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        // Room beyond the keys in use, so that none is evicted; unused room takes no memory.
        let room = usize::try_from(MILLION)? * 2;
        let limiter = RateLimiter::builder()
            .memory()
            .max_keys(room)
            .build()
            .await?;
        let before = resident()?;
        for client in 0..MILLION {
            let address = Ipv4Addr::from(FIRST + client);
            let decision = limiter.check(limit, Identity::ip(address.into())).await?;
            if !decision.is_allowed() {
                return Err("a new client was denied".into());
            }
        }
        let bytes = resident()? - before;
        println!("{:.1}", bytes as f64 / f64::from(MILLION));
        Ok(())
    })
}

/// Returns the resident set, in bytes.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: u64 = kilobytes.ok_or("no VmRSS in /proc")?.trim().parse()?;
    Ok(kilobytes * 1024)
}
