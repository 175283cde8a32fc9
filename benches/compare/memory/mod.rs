//! Measures the memory of an active key.

mod in_memory;
mod on_redis;

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Refill};
use serde::{Deserialize, Serialize};

pub(crate) use self::in_memory::print as print_in_memory;
use crate::{Result, redis_server::RedisServer, settings::Settings};

/// One hour, so that no key expires during the measurement.
const HOUR: Duration = Duration::from_secs(60 * 60);
const LIMIT: Limit = Limit::new(10, HOUR).zone("api").expect_valid();

/// Algorithms with state of constant size, then the log, after one admission.
pub(crate) const ALGORITHMS: [(&str, Limit); 6] = [
    (
        "fixed_window",
        LIMIT.algorithm(Algorithm::FixedWindow).expect_valid(),
    ),
    (
        "sliding_window_counter",
        LIMIT
            .algorithm(Algorithm::SlidingWindowCounter)
            .expect_valid(),
    ),
    (
        "token_bucket, greedy",
        LIMIT.algorithm(Algorithm::TokenBucket).expect_valid(),
    ),
    (
        "token_bucket, interval",
        LIMIT
            .algorithm(Algorithm::TokenBucket)
            .refill(Refill::Interval)
            .expect_valid(),
    ),
    (
        "leaky_bucket",
        LIMIT.algorithm(Algorithm::LeakyBucket).expect_valid(),
    ),
    (LOG, LIMIT.expect_valid()),
];
pub(crate) const LOG: &str = "sliding_window";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) algorithm: String,
    /// Resident bytes for each key of the in-memory store, with one million keys in use.
    pub(crate) in_memory: f64,
    /// Average `MEMORY USAGE` of a short key, in bytes.
    pub(crate) redis_key: u64,
    /// Additional bytes of Redis for each of 100,000 keys, including its tables of keys and
    /// expiries.
    pub(crate) redis_all: f64,
    /// A sample key.
    pub(crate) key: String,
}

pub(crate) fn measure(settings: &Settings) -> Result<Vec<Memory>> {
    let server = RedisServer::start(&settings.redis_server)?;
    ALGORITHMS
        .iter()
        .map(|(algorithm, limit)| {
            eprintln!("memory: {algorithm}");
            let in_memory = in_memory::in_a_fresh_process(algorithm)?;
            let on_redis = on_redis::measure(&server, limit)?;
            Ok(Memory {
                algorithm: (*algorithm).to_owned(),
                in_memory,
                redis_key: on_redis.one,
                redis_all: on_redis.each,
                key: on_redis.key,
            })
        })
        .collect()
}
