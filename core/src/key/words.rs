//! The kind of an entry in words, for people who look at it.

use std::time::Duration;

use humantime::format_duration;

use super::KeyKind;
use crate::limit::Refill;

impl KeyKind {
    /// Returns the kind in words: `sliding_window 1m`, `every month`, `shadow block`. The numbers
    /// of the limit are not stored.
    #[must_use]
    pub fn in_words(&self) -> String {
        let text = match *self {
            Self::Block { .. } => "block".to_owned(),
            Self::PermitTable { .. } => "concurrency limit".to_owned(),
            Self::Calendar { period, .. } => format!("every {period}"),
            Self::Counter {
                algorithm,
                refill,
                window,
                ..
            } => {
                let interval = match refill {
                    Refill::Interval => " interval",
                    Refill::Greedy => "",
                };
                let window = format_duration(Duration::from_micros(window));
                format!("{algorithm}{interval} {window}")
            }
        };
        if self.is_shadow() {
            format!("shadow {text}")
        } else {
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        calendar::Period,
        limit::{Algorithm, Limit},
    };

    #[test]
    fn kinds_are_described_in_words() {
        let words = |limit: Limit| KeyKind::of_limit(&limit).in_words();
        assert_eq!(words(Limit::per_minute(5)), "sliding_window 1m");
        assert_eq!(words(Limit::every(Period::Month, 5)), "every month");
        let bucket = Limit::per_hour(5).algorithm(Algorithm::TokenBucket);
        let interval = bucket.refill(Refill::Interval).shadow();
        assert_eq!(words(interval), "shadow token_bucket interval 1h");
        assert_eq!(KeyKind::Block { shadow: true }.in_words(), "shadow block");
        let permits = KeyKind::PermitTable { shadow: false };
        assert_eq!(permits.in_words(), "concurrency limit");
    }
}
