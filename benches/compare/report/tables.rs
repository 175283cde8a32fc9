//! Renders the figures in Markdown.

use crate::{
    case::{CONNECTIONS, Case},
    results::Results,
};

/// Connections at which the work of Redis is reported: enough for requests to share calls.
const BUSY: u32 = 64;

pub(super) fn head(results: &Results) -> String {
    let (versions, settings) = (&results.versions, &results.settings);
    let crates = versions.crates.iter();
    let crates: Vec<_> = crates.map(|(name, at)| format!("{name} {at}")).collect();
    let lines = [
        "# actix-throttle beside its peers\n".to_owned(),
        "Written by `benches/run`, from `raw.json`.\n".to_owned(),
        format!(
            "- {}, {} cores, {}; {}; {}",
            versions.cpu, versions.cores, versions.memory, versions.kernel, versions.date
        ),
        format!(
            "- {}, release profile; Redis {} without persistence, and Valkey 9 where a case says so; {}",
            versions.rustc, versions.redis, versions.wrk
        ),
        format!("- {}", crates.join(", ")),
        format!(
            "- All in one process: for each path an HTTP server of its own with {} worker(s), one wrk with one thread, Redis on the same machine, over TCP",
            settings.workers
        ),
        format!(
            "- {} round(s) of {} s a case and number of connections, all cases in each round; medians of the rounds",
            settings.rounds, settings.seconds
        ),
        "- Every answer was checked: 200, or 429 where all are denied. No client comes near a limit otherwise".to_owned(),
        "- All send their rate-limit headers, but actix-limitation, which has none, and the cases that say so".to_owned(),
        "- One key is the client's address; of many, each request names its client in a header\n".to_owned(),
    ];
    lines.join("\n")
}

pub(super) fn throughput(results: &Results) -> String {
    let cell = |case: &Case, connections| {
        let rate = results.rate(case.id, connections).map(thousands);
        let ratio = results.ratio(case.id, case.base(), connections);
        match (rate, ratio) {
            (Some(rate), Some(ratio)) => format!("{rate} ({ratio:.2})"),
            _ => "–".to_owned(),
        }
    };
    let mut table = row(["".into(), "1 connection".into()]
        .into_iter()
        .chain(CONNECTIONS[1..].iter().map(|n| format!("{n} connections"))));
    table += "|---|--:|--:|--:|\n";
    for case in results.cases() {
        let cells = CONNECTIONS.iter().map(|n| cell(case, *n));
        table += &row(std::iter::once(name(case)).chain(cells));
    }
    table
}

pub(super) fn latency(results: &Results) -> String {
    let mut table = "| | µs |\n|---|--:|\n".to_owned();
    for case in results.cases() {
        let latency = figure(results.latency(case.id, 1), 0);
        table += &row([name(case), latency]);
    }
    table
}

pub(super) fn work(results: &Results) -> String {
    let head = [
        "",
        "server, µs a request",
        "Redis, µs a request",
        "µs a call",
        "requests a call",
        "commands a second",
    ];
    let mut table = row(head.map(str::to_owned));
    table += "|---|--:|--:|--:|--:|--:|\n";
    for case in results.cases() {
        let commands = results.commands(case.id, BUSY).map(thousands);
        table += &row([
            name(case),
            figure(results.cpu(case.id, BUSY), 1),
            figure(results.cpu_of_redis(case.id, BUSY), 1),
            figure(results.micros_per_call(case.id, BUSY), 1),
            figure(results.decisions_per_call(case.id, BUSY), 2),
            commands.unwrap_or_else(|| "–".to_owned()),
        ]);
    }
    table
}

pub(super) fn memory(results: &Results) -> String {
    let mut text = "Bytes an active key. In memory: what one million keys add to the resident set, each an IPv4 address. Redis: \
                    `MEMORY USAGE` of a short key, and what `used_memory` grows by for each of 100,000 keys, the server's tables \
                    included. `sliding_window` holds one admission.\n\n"
        .to_owned();
    text += &row(["", "in memory", "Redis, a key", "Redis, in all", "the key"].map(str::to_owned));
    text += "|---|--:|--:|--:|---|\n";
    for memory in &results.memory {
        text += &row([
            format!("`{}`", memory.algorithm),
            format!("{:.0}", memory.in_memory),
            memory.redis_key.to_string(),
            format!("{:.0}", memory.redis_all),
            format!("`{}`", memory.key),
        ]);
    }
    text
}

pub(super) fn batches(results: &Results) -> String {
    let head = [
        "checks at once",
        "",
        "idle, µs a decision",
        "busy, µs a decision",
        "decisions a call",
    ];
    let mut text = row(head.map(str::to_owned));
    text += "|--:|---|--:|--:|--:|\n";
    for batch in &results.batches {
        text += &row([
            batch.size.to_string(),
            batch.limiter.clone(),
            format!("{:.1}", batch.idle),
            format!("{:.1}", batch.busy),
            format!("{:.1}", batch.decisions_per_call),
        ]);
    }
    text
}

fn name(case: &Case) -> String {
    format!("{}: {}", case.group, case.title)
}

fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<_> = cells.into_iter().collect();
    format!("| {} |\n", cells.join(" | "))
}

fn figure(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

/// Formats a whole number with commas.
pub(super) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn commas_between_groups_of_three() {
        assert_eq!(thousands(0.4), "0");
        assert_eq!(thousands(999.0), "999");
        assert_eq!(thousands(1234567.0), "1,234,567");
    }
}
