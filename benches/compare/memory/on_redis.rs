//! Measures the memory of a key in Redis, as Redis reports it.

use actix_throttle::{FailureMode, Identity, Limit, RateLimiter};
use futures_util::future::join_all;

use crate::{Result, case::MANY, redis_server::RedisServer};

/// Requests in flight at a time.
const TOGETHER: u32 = 100;
/// Clients whose keys all have the same, shortest length.
const SHORT: std::ops::Range<u32> = 10..100;

pub(super) struct OnRedis {
    pub(super) key: String,
    /// Average bytes of a short key.
    pub(super) one: u64,
    pub(super) each: f64,
}

pub(super) fn measure(server: &RedisServer, limit: &Limit) -> Result<OnRedis> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut connection = server.connect()?;
    redis::cmd("FLUSHALL").exec(&mut connection)?;
    runtime.block_on(async {
        let limiter = RateLimiter::builder()
            .redis_url(server.url())
            .failure_mode(FailureMode::Closed)
            .deadline(std::time::Duration::from_secs(2))
            .build()
            .await?;
        // The first value uses memory that earlier commands left in the server, so it is not
        // measured.
        limiter.check(limit, "first").await?;
        redis::cmd("FLUSHALL").exec(&mut connection)?;
        for client in SHORT {
            limiter.check(limit, client.to_string()).await?;
        }
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection)?;
        let [key, ..] = keys.as_slice() else {
            return Err("there are no keys".into());
        };
        let mut short = 0;
        for key in &keys {
            let usage: u64 = redis::cmd("MEMORY")
                .arg(&["USAGE", key, "SAMPLES", "0"])
                .query(&mut connection)?;
            short += usage;
        }
        let others = u32::try_from(keys.len())?;
        let one = short.div_ceil(others.into());

        let before = used(&mut connection)?;
        for first in (0..MANY).step_by(usize::try_from(TOGETHER)?) {
            // Names of equal length.
            let clients = (first..first + TOGETHER).map(|client| format!("{:06}", client));
            let checks = clients.map(|client| limiter.check(limit, Identity::new(client)));
            for decision in join_all(checks).await {
                decision?;
            }
        }
        let keys: u32 = redis::cmd("DBSIZE").query(&mut connection)?;
        if keys != MANY + others {
            return Err(format!("{keys} keys, and not {}", MANY + others).into());
        }
        let each = (used(&mut connection)? - before) / f64::from(MANY);
        let key = key.clone();
        Ok(OnRedis { key, one, each })
    })
}

/// Returns the bytes that Redis has allocated.
fn used(connection: &mut redis::Connection) -> Result<f64> {
    let info: String = redis::cmd("INFO").arg("memory").query(connection)?;
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    Ok(line.ok_or("INFO has no used_memory")?.trim().parse()?)
}
