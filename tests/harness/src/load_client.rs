//! One process of a service that checks its limits as fast as it can. It prints how many requests
//! were admitted under its limits, how many were decided without Redis, and how many milliseconds
//! the slowest took.
//!
//! Environment: `REDIS_URL`, `PREFIX`, `MILLIS` (how long it runs) and `LIMITS`, each limit as
//! `algorithm/times/window in ms/capacity`, separated by spaces. With a `FAILURE_MODE`, `open` or
//! `local`, it continues after failures; without one it ends at the first. `LEASE` applies to every
//! limit. With `START` (µs since the epoch), it begins then. With `TELL`, it prints for each
//! admission at once when it was requested and when decided (µs since the epoch), and when the
//! quota is whole again (µs after the decision). With `CLOSE`, it closes its limiter at the end.

use std::{
    env,
    error::Error,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_throttle::{Algorithm, FailureMode, Limit, RateLimitError, RateLimiter, Refill};
use tokio::time::Instant;

/// The number of concurrent requests.
const TASKS: usize = 16;

/// Runs the program.
///
/// # Errors
///
/// An invalid environment, or a decision that failed.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let limits: Vec<Limit> = env::var("LIMITS")?
        .split(' ')
        .map(limit)
        .collect::<Result<_, _>>()?;
    let limits: Vec<Limit> = match env::var("LEASE") {
        Ok(lease) => {
            let lease = lease.parse()?;
            limits.iter().map(|limit| limit.lease(lease)).collect()
        }
        Err(_) => limits,
    };
    let tells = env::var_os("TELL").is_some();
    let mode = match env::var("FAILURE_MODE").as_deref() {
        Ok("open") => FailureMode::Open,
        Ok("local") => FailureMode::Local,
        _ => FailureMode::Closed,
    };
    RateLimiter::builder()
        .redis_url(env::var("REDIS_URL")?)
        .prefix(env::var("PREFIX")?)
        .deadline(Duration::from_secs(10))
        .failure_mode(mode)
        .recovery_timeout(Duration::from_millis(200))
        .init()
        .await?;
    let limiter = RateLimiter::global().ok_or("the limiter is not there")?;
    if let Ok(start) = env::var("START") {
        let left = start.parse::<u64>()?.saturating_sub(micros());
        tokio::time::sleep(Duration::from_micros(left)).await;
    }
    let end = Instant::now() + Duration::from_millis(env::var("MILLIS")?.parse()?);
    let tasks = (0..TASKS).map(|_| {
        let (limiter, limits) = (limiter.clone(), limits.clone());
        tokio::spawn(async move { send_load(&limiter, &limits, end, tells).await })
    });
    let mut sum = LoadCounts::default();
    for task in tasks.collect::<Vec<_>>() {
        let counts = task.await??;
        sum.admitted += counts.admitted;
        sum.alone += counts.alone;
        sum.longest = sum.longest.max(counts.longest);
    }
    if env::var_os("CLOSE").is_some() {
        RateLimiter::close().await;
    }
    println!("{} {} {}", sum.admitted, sum.alone, sum.longest.as_millis());
    Ok(())
}

#[derive(Default)]
struct LoadCounts {
    admitted: u32,
    alone: u32,
    longest: Duration,
}

async fn send_load(
    limiter: &RateLimiter,
    limits: &[Limit],
    end: Instant,
    tells: bool,
) -> Result<LoadCounts, RateLimitError> {
    let checks: Vec<_> = limits.iter().map(|limit| (limit, "hot")).collect();
    let mut counts = LoadCounts::default();
    while Instant::now() < end {
        let (start, asked) = (Instant::now(), micros());
        let decision = limiter.check_all(&checks).await?;
        counts.longest = counts.longest.max(start.elapsed());
        // A request that was admitted by failing open has no limits in its decision.
        let is_limited = !decision.limits().is_empty();
        let is_admitted = decision.is_allowed() && is_limited;
        counts.admitted += u32::from(is_admitted);
        counts.alone += u32::from(decision.is_fallback());
        if is_admitted && tells {
            let whole = decision.limits()[0].reset_after().as_micros();
            println!("{asked} {} {whole}", micros());
        }
        // A local decision may never suspend, and the other tasks would starve.
        tokio::task::yield_now().await;
    }
    Ok(counts)
}

fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = since.unwrap_or_default().as_micros();
    u64::try_from(micros).unwrap_or(u64::MAX)
}

fn limit(text: &str) -> Result<Limit, Box<dyn Error>> {
    let parts: Vec<_> = text.split('/').collect();
    let [algorithm, times, window, capacity] = parts[..] else {
        return Err(format!("`{text}` is no algorithm/times/window/capacity").into());
    };
    let limit = Limit::new(times.parse()?, Duration::from_millis(window.parse()?));
    let bucket = |refill| {
        let limit = limit.algorithm(Algorithm::TokenBucket).refill(refill);
        capacity.parse().map(|capacity| limit.capacity(capacity))
    };
    Ok(match algorithm {
        "sliding_window" => limit,
        "sliding_window_counter" => limit.algorithm(Algorithm::SlidingWindowCounter),
        "fixed_window" => limit.algorithm(Algorithm::FixedWindow),
        "token_bucket" => bucket(Refill::Greedy)?,
        "interval" => bucket(Refill::Interval)?,
        "leaky_bucket" => limit.algorithm(Algorithm::LeakyBucket),
        other => return Err(format!("no algorithm `{other}`").into()),
    })
}
