//! Compares the figures with their targets.

use super::tables::thousands;
use crate::{
    case::{BARE, DENIED, LEASED},
    memory::LOG,
    results::Results,
};

/// Numbers of connections at which throughput is compared.
const BUSY: [u32; 2] = [64, 256];
/// Calls a second that count as almost none: leases and denials need Redis only now and then.
const HARDLY_ANY: f64 = 5.0;

enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

use self::Aim::{AtLeast, AtMost};

/// The throughput of one case against another's, with a target for each number of connections.
const RATIOS: [(&str, &str, &str, [f64; 2]); 20] = [
    (
        "Redis, 100,000 keys, against actix-extensible-rate-limit",
        "redis-many",
        "extensible-many",
        [1.4, 1.7],
    ),
    (
        "the same, by the sliding window",
        "redis-many-log",
        "extensible-many",
        [1.25, 1.25],
    ),
    (
        "the same, by the sliding window counter",
        "redis-many-counter",
        "extensible-many",
        [1.25, 1.25],
    ),
    (
        "the same, by the token bucket",
        "redis-many-bucket",
        "extensible-many",
        [1.25, 1.25],
    ),
    (
        "the same, by the leaky bucket",
        "redis-many-leaky",
        "extensible-many",
        [1.25, 1.25],
    ),
    (
        "Redis, one key, against actix-extensible-rate-limit",
        "redis-one",
        "extensible-one",
        [1.6, 1.6],
    ),
    (
        "the same, by the sliding window",
        "redis-one-log",
        "extensible-one",
        [1.6, 1.6],
    ),
    (
        "Valkey, one key, against actix-trypema",
        "valkey-one",
        "trypema-redis-one",
        [1.6, 1.6],
    ),
    (
        "Valkey, 100,000 keys, against actix-trypema",
        "valkey-many",
        "trypema-redis-many",
        [1.4, 1.4],
    ),
    (
        "five stacked limits on Redis against one",
        "redis-stacked",
        "redis-one",
        [0.85, 0.85],
    ),
    (
        "all denied against the bare handler",
        DENIED,
        BARE,
        [0.9, 0.9],
    ),
    ("leased against the bare handler", LEASED, BARE, [0.9, 0.9]),
    (
        "leased against actix-trypema's hybrid",
        LEASED,
        "trypema-hybrid",
        [1.0, 1.0],
    ),
    (
        "in memory, one key, without headers, against actix-governor without",
        "memory-plain",
        "governor-plain",
        [1.0, 1.0],
    ),
    (
        "in memory, one key, without headers, against actix-trypema without",
        "memory-plain",
        "trypema-plain",
        [1.0, 1.0],
    ),
    (
        "in memory, one key, against actix-governor",
        "memory-one",
        "governor-one",
        [1.0, 1.0],
    ),
    (
        "in memory, one key, against actix-trypema",
        "memory-one",
        "trypema-local",
        [1.0, 1.0],
    ),
    (
        "in memory, 100,000 keys, against actix-governor",
        "memory-many",
        "governor-many",
        [1.0, 1.0],
    ),
    (
        "in memory, 1,000,000 active keys against 1,000",
        "memory-million",
        "memory-thousand",
        [0.85, 0.85],
    ),
    (
        "Redis, 1,000,000 active keys against 1,000",
        "redis-million",
        "redis-thousand",
        [0.85, 0.85],
    ),
];

pub(super) fn table(results: &Results) -> String {
    let mut table = Table("| | target | measured | |\n|---|--:|--:|---|\n".to_owned());
    for (what, case, other, aims) in RATIOS {
        for (connections, aim) in BUSY.into_iter().zip(aims) {
            table.row(
                &format!("{what}, {connections} connections"),
                AtLeast(aim),
                results.ratio(case, other, connections),
                |value| format!("{value:.2}"),
            );
        }
    }
    for (what, case) in [
        ("Redis, one key, median latency", "redis-one"),
        ("the same, by the sliding window", "redis-one-log"),
    ] {
        table.row(
            &format!("{what} against actix-extensible-rate-limit, one connection"),
            AtMost(1.0),
            results.latency_ratio(case, "extensible-one", 1),
            |value| format!("{value:.2}"),
        );
    }
    for connections in BUSY {
        table.row(
            &format!("calls of Redis a second while all are denied, {connections} connections"),
            AtMost(HARDLY_ANY),
            results.calls(DENIED, connections),
            thousands,
        );
    }
    for memory in results
        .memory
        .iter()
        .filter(|memory| memory.algorithm != LOG)
    {
        table.row(
            &format!("Redis, bytes a key, `{}`", memory.algorithm),
            AtMost(125.0),
            Some(memory.redis_key as f64),
            thousands,
        );
    }
    for memory in results
        .memory
        .iter()
        .filter(|memory| memory.algorithm != LOG)
    {
        table.row(
            &format!("in memory, bytes a key, `{}`", memory.algorithm),
            AtMost(100.0),
            Some(memory.in_memory),
            thousands,
        );
    }
    table.0
}

struct Table(String);

impl Table {
    fn row(&mut self, what: &str, aim: Aim, value: Option<f64>, show: impl Fn(f64) -> String) {
        let (sign, bound) = match aim {
            AtLeast(bound) => ("≥", bound),
            AtMost(bound) => ("≤", bound),
        };
        let met = value.map(|value| match aim {
            AtLeast(bound) => value >= bound,
            AtMost(bound) => value <= bound,
        });
        let verdict = match met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "not measured",
        };
        let measured = value.map_or_else(|| "–".to_owned(), &show);
        let bound = show(bound);
        self.0 += &format!("| {what} | {sign} {bound} | {measured} | {verdict} |\n");
    }
}
