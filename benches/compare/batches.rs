//! Measures what a decision costs Redis by the size of its batch: processor time of the server, for
//! checks of distinct keys that are made at once.
//!
//! An idle server is woken for each batch. A busy one always has the next batch waiting, which is
//! what caps a fleet.

use std::{
    future::Future,
    thread,
    time::{Duration, Instant},
};

use actix_extensible_rate_limit::backend::{Backend, SimpleInput, redis::RedisBackend};
use actix_throttle::{FailureMode, Identity, Limit, RateLimiter};
use futures_util::future::join_all;
use redis_of_peer::aio::ConnectionManager;
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    case::MANY,
    redis_server::{Load, RedisServer},
    settings::Settings,
};

/// The sizes of the batches.
const SIZES: [u32; 5] = [1, 8, 21, 32, 64];
/// Threads that keep a server busy, each with a connection of its own.
const BUSY: u32 = 8;
/// The pause after each batch for an idle server.
const PAUSE: Duration = Duration::from_millis(1);
/// A time that is out of reach: each key is charged once in a while.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const LIMIT: Limit = Limit::new(1_000_000_000, DAY)
    .algorithm(actix_throttle::Algorithm::FixedWindow)
    .name("batch")
    .zone("batch");

/// The work of Redis for batches of one size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) limiter: String,
    pub(crate) size: u32,
    /// Processor time of an idle and of a busy server for a decision, in microseconds.
    pub(crate) idle: f64,
    pub(crate) busy: f64,
    /// Decisions that a script or transaction of the busy server has made.
    pub(crate) decisions_per_call: f64,
}

pub(crate) fn measure(settings: &Settings) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for size in SIZES {
        batches.push(measure_one(settings, "actix-throttle", size, ours)?);
        batches.push(measure_one(
            settings,
            "actix-extensible-rate-limit",
            size,
            extensible,
        )?);
    }
    Ok(batches)
}

/// Makes batches for a while, with or without a pause after each, and returns the number of
/// decisions.
type Driver = fn(url: &str, size: u32, thread: u32, pause: bool, end: Duration) -> Result<u64>;

fn measure_one(settings: &Settings, limiter: &str, size: u32, drive: Driver) -> Result<Batch> {
    let server = RedisServer::start(&settings.redis_server)?;
    let each = Duration::from_secs(settings.seconds.into());
    let run = |threads: u32, pause: bool, time: Duration| -> Result<(u64, Load)> {
        let mut connection = server.connect()?;
        let before = Load::look(&mut connection)?;
        let url = server.url();
        let drivers = (0..threads).map(|thread| {
            let url = url.clone();
            thread::spawn(move || drive(&url, size, thread, pause, time))
        });
        let drivers: Vec<_> = drivers.collect();
        let mut decisions = 0;
        for driver in drivers {
            decisions += driver.join().map_err(|_| "a driver has panicked")??;
        }
        Ok((decisions, Load::look(&mut connection)?.since(&before)))
    };
    // The keys come into use: a decision on a new key costs more.
    run(BUSY, false, each)?;
    let (decisions, load) = run(1, true, each)?;
    let idle = load.cpu as f64 / decisions as f64;
    let (decisions, load) = run(BUSY, false, each)?;
    Ok(Batch {
        limiter: limiter.to_owned(),
        size,
        idle,
        busy: load.cpu as f64 / decisions as f64,
        decisions_per_call: decisions as f64 / load.calls as f64,
    })
}

/// Repeats batches until the time is over. Each batch decides `size` distinct clients.
async fn repeat<F: Future<Output = Result<()>>>(
    size: u32,
    thread: u32,
    pause: bool,
    time: Duration,
    check: impl Fn(u32) -> F,
) -> Result<u64> {
    let end = Instant::now() + time;
    let (mut decisions, mut next) = (0, thread * (MANY / BUSY));
    while Instant::now() < end {
        let clients = (0..size).map(|index| (next + index) % MANY);
        for decision in join_all(clients.map(&check)).await {
            decision?;
        }
        next = (next + size) % MANY;
        decisions += u64::from(size);
        if pause {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(decisions)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build()?)
}

fn ours(url: &str, size: u32, thread: u32, pause: bool, time: Duration) -> Result<u64> {
    runtime()?.block_on(async {
        let limiter = RateLimiter::builder()
            .redis_url(url)
            .failure_mode(FailureMode::Closed)
            .deadline(Duration::from_secs(2))
            .build()
            .await?;
        repeat(size, thread, pause, time, async |client: u32| {
            limiter
                .check(&LIMIT, Identity::new(format!("{client:08}")))
                .await?;
            Ok(())
        })
        .await
    })
}

fn extensible(url: &str, size: u32, thread: u32, pause: bool, time: Duration) -> Result<u64> {
    runtime()?.block_on(async {
        let client = redis_of_peer::Client::open(url)?;
        let backend = RedisBackend::builder(ConnectionManager::new(client).await?)
            .key_prefix(Some("extensible:"))
            .build();
        repeat(size, thread, pause, time, async |client: u32| {
            let input = SimpleInput {
                interval: DAY,
                max_requests: 1_000_000_000,
                key: format!("{client:08}"),
            };
            backend.request(input).await?;
            Ok(())
        })
        .await
    })
}
