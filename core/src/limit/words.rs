//! A limit in words, for people who look at it. Neither a decision nor a file depends on them.

use std::{fmt::Write, time::Duration};

use humantime::format_duration as duration;

use super::{AnyLimit, Limit, Refill};

impl AnyLimit {
    /// Returns the limit in words: `5 per 1m, token_bucket, capacity 10`, `1000 every month`,
    /// `2 at once`.
    #[doc(hidden)]
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Rate(limit) => rate(limit),
            Self::Concurrency(limit) => format!("{} at once", limit.max()),
        }
    }

    #[doc(hidden)]
    #[must_use]
    pub fn zone_name(&self) -> &'static str {
        match self {
            Self::Rate(limit) => limit.zone_name(),
            Self::Concurrency(limit) => limit.zone_name(),
        }
    }
}

fn rate(limit: &Limit) -> String {
    let mut words = match limit.period() {
        Some(period) => format!("{} every {period}", limit.times()),
        None => {
            let window = duration(limit.window());
            format!(
                "{} per {window}, {}",
                limit.times(),
                limit.algorithm_value()
            )
        }
    };
    let mut add = |what: std::fmt::Arguments<'_>| {
        // Writing to a `String` cannot fail.
        let _ = write!(words, ", {what}");
    };
    if let Some(zone) = limit.time_zone_name().filter(|zone| *zone != "UTC") {
        add(format_args!("{zone}"));
    }
    if limit.quota() != limit.times() {
        add(format_args!("capacity {}", limit.quota()));
    }
    if limit.refill_value() == Refill::Interval {
        add(format_args!("refill interval"));
    }
    if limit.lease_size() > 0 {
        add(format_args!("lease {}", limit.lease_size()));
    }
    match limit.steps() {
        [] if limit.block_micros() == 0 => {}
        [] => add(format_args!(
            "block {}",
            duration(Duration::from_micros(limit.block_micros()))
        )),
        steps => {
            let steps: Vec<_> = steps
                .iter()
                .map(|step| duration(*step).to_string())
                .collect();
            add(format_args!("block {}", steps.join(", then ")));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        calendar::Period,
        limit::{Algorithm, Concurrency},
    };

    #[test]
    fn limits_are_described_in_words() {
        let words = |limit: Limit| AnyLimit::Rate(limit).in_words();
        let bucket = Limit::per_minute(5)
            .algorithm(Algorithm::TokenBucket)
            .capacity(10);
        assert_eq!(words(bucket), "5 per 1m, token_bucket, capacity 10");
        let month = Limit::every(Period::Month, 1_000);
        assert_eq!(words(month), "1000 every month");
        let block = Limit::per_hour(1).block(Duration::from_secs(90));
        assert_eq!(words(block), "1 per 1h, sliding_window, block 1m 30s");
        let permits = AnyLimit::Concurrency(Concurrency::new(2));
        assert_eq!(permits.in_words(), "2 at once");
    }
}
