//! Exponential backoff: pauses between attempts that double up to a longest one. It only computes
//! them; each caller adds the jitter that it needs.

use actix_throttle_core::time::Micros;

/// The pauses of one kind of attempt, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// The pause after the first failed attempt.
    pub(crate) first: Micros,
    /// The longest pause.
    pub(crate) longest: Micros,
}

impl Backoff {
    /// Returns the pause after this many failed attempts, from 1.
    pub(crate) fn after(self, attempts: u32) -> Micros {
        let doublings = attempts.saturating_sub(1);
        let pause = self.first.saturating_mul(2_u64.saturating_pow(doublings));
        pause.min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff {
            first: 100,
            longest: 2_000,
        };
        for (attempts, pause) in [(1, 100), (2, 200), (3, 400), (5, 1_600), (6, 2_000)] {
            assert_eq!(backoff.after(attempts), pause, "{attempts}");
        }
        assert_eq!(backoff.after(u32::MAX), 2_000);
    }
}
