//! Limits without a request: `check`, `acquire` and `semaphore`. Runs and exits.

use std::time::{Duration, Instant};

use actix_throttle::{Concurrency, Limit, RateLimitError, RateLimiter, Semaphore};

// These constants would not compile if a number were out of range. A limit by hand is counted under
// its name.
const MAILS: Limit = Limit::per_minute(2).name("mails").expect_valid();
const STEPS: Limit = Limit::new(1, Duration::from_millis(300))
    .name("steps")
    .expect_valid();
const JOBS: Concurrency = Concurrency::new(2)
    .expiry(Duration::from_secs(30))
    .name("jobs")
    .expect_valid();

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limiter = RateLimiter::builder().memory().build().await?;

    // `check` decides now. A denial is a value, and an `Err` means that nothing was decided.
    for mail in 1..=3 {
        let decision = limiter.check(&MAILS, "user:42").await?;
        if decision.is_allowed() {
            println!(
                "mail {mail}: sent, {} left",
                decision.limits()[0].remaining()
            );
        } else {
            let wait = decision.retry_after_seconds().unwrap_or_default();
            println!("mail {mail}: denied, retry in {wait} s");
        }
    }
    limiter.reset(&MAILS, "user:42").await?;
    let left = limiter.remaining(&MAILS, "user:42").await?;
    println!("after a reset: {left} left");

    // `acquire` waits for its turn.
    let start = Instant::now();
    for step in 1..=3 {
        let _permit = limiter.acquire(&STEPS, "import").await?;
        let elapsed = start.elapsed().as_secs_f32();
        println!("step {step} after {elapsed:.1} s");
    }
    let short = limiter
        .acquire(&STEPS, "import")
        .max_wait(Duration::from_millis(50));
    match short.await {
        Err(RateLimitError::TimedOut { .. }) => println!("step 4: no turn within 50 ms"),
        other => println!("step 4: {other:?}"),
    }

    // `semaphore` limits what runs at the same time. A guard holds its permit until it is dropped.
    let jobs = limiter.semaphore(&JOBS, "worker");
    let first = jobs.acquire().await?;
    let _second = jobs.acquire().await?;
    println!("third job, at the same time: {}", runs(&jobs).await?);
    first.release().await;
    println!("third job, after the first: {}", runs(&jobs).await?);
    Ok(())
}

async fn runs(jobs: &Semaphore) -> Result<&'static str, RateLimitError> {
    let guard = jobs.try_acquire().await?;
    Ok(guard.map_or("no permit", |_| "runs"))
}
