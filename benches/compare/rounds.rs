//! Measures every case in every round, so that a disturbance of the machine affects all cases.

use std::fs;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    Result,
    case::{CONNECTIONS, Case},
    redis_server::{Load, RedisServer, RedisServers},
    results::Sample,
    server::Ports,
    settings::Settings,
    wrk,
};

pub(crate) fn run(
    settings: &Settings,
    cases: &[&Case],
    ports: &Ports,
    servers: &RedisServers,
) -> Result<Vec<Sample>> {
    let runs = u64::try_from(cases.len() * CONNECTIONS.len())? * u64::from(settings.rounds);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}, {eta} to go: {msg}")?;
    let bar = ProgressBar::new(runs).with_style(style);
    let mut samples = Vec::new();
    for round in 0..settings.rounds {
        // Each round begins at another case, so that no case always follows the same one.
        let first = usize::try_from(round)? * cases.len() / usize::try_from(settings.rounds)?;
        for connections in CONNECTIONS {
            let at = format!(
                "round {}/{}, connections: {connections}",
                round + 1,
                settings.rounds
            );
            if bar.is_hidden() {
                eprintln!("{at}"); // no terminal: lines, and not too many
            }
            for case in cases[first..].iter().chain(&cases[..first]) {
                bar.set_message(format!("{at}: {}, {}", case.group, case.title));
                let run = Run {
                    round,
                    connections,
                    seconds: settings.seconds,
                };
                let redis = case.redis.map(|redis| servers.of(redis));
                samples.push(run.measure(case, ports.of(case)?, redis)?);
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    Ok(samples)
}

struct Run {
    round: u32,
    connections: u32,
    seconds: u32,
}

impl Run {
    fn measure(&self, case: &Case, port: u16, redis: Option<&RedisServer>) -> Result<Sample> {
        // Begin at another client each time.
        let first = u64::from(self.round * 31 + self.connections) * 7919;
        let mut redis = redis.map(RedisServer::connect).transpose()?;
        let before = redis.as_mut().map(Load::look).transpose()?;
        let cpu = cpu_ticks()?;
        let run = wrk::run(case, port, self.connections, self.seconds, first)?;
        let cpu = cpu_ticks()? - cpu;
        let after = redis.as_mut().map(Load::look).transpose()?;
        Ok(Sample {
            case: case.id.to_owned(),
            connections: self.connections,
            round: self.round,
            requests: run.requests,
            micros: run.micros,
            p50: run.p50,
            cpu: cpu * TICK,
            load: after
                .zip(before)
                .map(|(after, before)| after.since(&before)),
        })
    }
}

/// Microseconds of a clock tick: Linux reports processor times in hundredths of a second.
const TICK: u64 = 10_000;

/// Returns the processor time that this process, the HTTP server, has used, in ticks.
fn cpu_ticks() -> Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The program's name is in brackets and may contain spaces. User and system time are the 12th
    // and 13th fields after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next().ok_or("/proc/self/stat is short");
    Ok(next()?.parse::<u64>()? + next()?.parse::<u64>()?)
}
