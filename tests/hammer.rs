//! One process of a service, which asks as fast as it can and says how much was admitted.
//!
//! Environment: `REDIS_URL`, `PREFIX`, `MILLIS` (for how long), and `LIMITS`: of each limit
//! `algorithm/times/window in ms/capacity`, with spaces between.

use std::{env, error::Error, time::Duration};

use actix_throttle::{Algorithm, Limit, RateLimiter, Refill};
use tokio::time::Instant;

/// So many requests are under way at a time.
const TASKS: usize = 16;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let limits: Vec<Limit> = env::var("LIMITS")?
        .split(' ')
        .map(limit)
        .collect::<Result<_, _>>()?;
    let end = Instant::now() + Duration::from_millis(env::var("MILLIS")?.parse()?);
    let limiter = RateLimiter::builder()
        .redis_url(env::var("REDIS_URL")?)
        .prefix(env::var("PREFIX")?)
        .deadline(Duration::from_secs(10))
        .build()
        .await?;
    let tasks = (0..TASKS).map(|_| {
        let (limiter, limits) = (limiter.clone(), limits.clone());
        tokio::spawn(async move { hammer(&limiter, &limits, end).await })
    });
    let mut admitted = 0;
    for task in tasks.collect::<Vec<_>>() {
        admitted += task.await??;
    }
    println!("{admitted}");
    Ok(())
}

async fn hammer(
    limiter: &RateLimiter,
    limits: &[Limit],
    end: Instant,
) -> Result<u32, actix_throttle::RateLimitError> {
    let checks: Vec<_> = limits.iter().map(|limit| (limit, "hot")).collect();
    let mut admitted = 0;
    while Instant::now() < end {
        admitted += u32::from(limiter.check_all(&checks).await?.is_allowed());
    }
    Ok(admitted)
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
