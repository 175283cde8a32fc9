//! Pauses between attempts to connect: they grow, and differ from process to process.

use std::time::Duration;

/// Before the first attempt after a loss.
pub(super) const AT_ONCE: Duration = Duration::from_millis(20);
/// Before the next where that failed; doubled for each one after.
const FIRST: Duration = Duration::from_millis(100);
pub(super) const LONGEST: Duration = Duration::from_secs(2);

/// What to wait before an attempt that nobody waits for, after so many since the last answer.
pub(super) fn pause(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1);
    let whole = FIRST.saturating_mul(2_u32.saturating_pow(doublings));
    half_to_whole(whole.min(LONGEST))
}

pub(super) fn half_to_whole(whole: Duration) -> Duration {
    whole / 2 + up_to(whole / 2)
}

pub(super) fn up_to(longest: Duration) -> Duration {
    longest.mul_f64(fastrand::f64())
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_tenth_of_a_second_to_two_seconds() {
        for (attempts, whole) in [
            (1, 100),
            (2, 200),
            (3, 400),
            (5, 1600),
            (6, 2000),
            (u32::MAX, 2000),
        ] {
            for _ in 0..100 {
                let pause = pause(attempts);
                let whole = Duration::from_millis(whole);
                assert!(
                    (whole / 2..=whole).contains(&pause),
                    "{attempts}: {pause:?}"
                );
            }
        }
    }
}
