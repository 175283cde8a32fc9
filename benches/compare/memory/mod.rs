//! What an active key costs.

mod embedded;
mod on_redis;

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Refill};
use serde::{Deserialize, Serialize};

pub(crate) use self::embedded::print as print_embedded;
use crate::{Result, redis_server::RedisServer, settings::Settings};

/// An hour, so that nothing is given back while it is being measured.
const HOUR: Duration = Duration::from_secs(60 * 60);
const LIMIT: Limit = Limit::new(10, HOUR).zone("api").expect_valid();

/// Those of constant size; then the log, after one admission.
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
    /// Resident bytes a key of the embedded store, one million keys in use.
    pub(crate) embedded: f64,
    /// `MEMORY USAGE` of a short key, on average.
    pub(crate) redis_key: u64,
    /// What Redis uses more for each of 100,000 keys: its tables of keys and of expiries too.
    pub(crate) redis_all: f64,
    /// One of those that were looked at.
    pub(crate) key: String,
}

pub(crate) fn measure(settings: &Settings) -> Result<Vec<Memory>> {
    let server = RedisServer::start(&settings.redis_server)?;
    ALGORITHMS
        .iter()
        .map(|(algorithm, limit)| {
            eprintln!("memory: {algorithm}");
            let embedded = embedded::in_a_fresh_process(algorithm)?;
            let on_redis = on_redis::measure(&server, limit)?;
            Ok(Memory {
                algorithm: (*algorithm).to_owned(),
                embedded,
                redis_key: on_redis.one,
                redis_all: on_redis.each,
                key: on_redis.key,
            })
        })
        .collect()
}
