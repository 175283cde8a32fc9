//! Every case in every round, so that what happens to the machine happens to all.

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    Result,
    case::{CASES, CONNECTIONS, Case},
    redis_server::{RedisServer, RedisServers},
    results::Sample,
    settings::Settings,
    wrk,
};

pub(crate) fn run(settings: &Settings, port: u16, servers: &RedisServers) -> Result<Vec<Sample>> {
    let cases = u64::try_from(CASES.len() * CONNECTIONS.len())?;
    let bar = ProgressBar::new(cases * u64::from(settings.rounds)).with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len}, {eta} to go: {msg}")?,
    );
    let mut samples = Vec::new();
    for round in 0..settings.rounds {
        for connections in CONNECTIONS {
            let at = format!(
                "round {}/{}, {connections} connections",
                round + 1,
                settings.rounds
            );
            if bar.is_hidden() {
                eprintln!("{at}"); // no terminal: lines, and not too many
            }
            // Each round begins elsewhere, so that none is always the one after another.
            let start = usize::try_from(round)? * CASES.len() / usize::try_from(settings.rounds)?;
            for case in CASES[start..].iter().chain(&CASES[..start]) {
                bar.set_message(format!("{at}: {}, {}", case.group, case.title));
                let server = case.redis.map(|redis| servers.of(redis));
                samples.push(measure(case, settings, port, connections, round, server)?);
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    Ok(samples)
}

fn measure(
    case: &Case,
    settings: &Settings,
    port: u16,
    connections: u32,
    round: u32,
    server: Option<&RedisServer>,
) -> Result<Sample> {
    // A look costs commands of its own; two in a row tell how many.
    let looks = server
        .map(|server| Ok::<_, crate::BoxError>((server.load()?, server.load()?)))
        .transpose()?;
    // Elsewhere in the keys each time.
    let first = u64::from(round * 31 + connections) * 7919;
    let run = wrk::run(case, port, connections, settings.seconds, first)?;
    let load = match (looks, server) {
        (Some((first, second)), Some(server)) => {
            let look = second.commands - first.commands;
            Some(server.load()?.since(&second, look))
        }
        _ => None,
    };
    Ok(Sample {
        case: case.id.to_owned(),
        connections,
        round,
        requests: run.requests,
        micros: run.micros,
        p50: run.p50,
        load,
    })
}
