//! Pauses between attempts to connect: exponential [backoff with jitter], so that processes do not
//! reconnect in step. The reconnect task sleeps for them; this module only computes them.
//!
//! [backoff with jitter]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

use std::time::Duration;

use crate::engine::backoff::Backoff;

/// The longest pause before the first attempt after a loss.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(20);
/// The pauses after failed attempts, before jitter.
const BACKOFF: Backoff = Backoff {
    first: 100_000,
    longest: 2_000_000,
};
/// The longest pause, before jitter.
#[cfg(feature = "cluster")]
pub(crate) const LONGEST: Duration = Duration::from_micros(BACKOFF.longest);

/// The pause before an attempt that no request waits for, after `attempts` attempts since the last
/// reply.
pub(crate) fn pause(attempts: u32) -> Duration {
    half_to_whole(Duration::from_micros(BACKOFF.after(attempts)))
}

/// A random duration from half of `whole` to all of it ("equal jitter").
pub(crate) fn half_to_whole(whole: Duration) -> Duration {
    whole / 2 + up_to(whole / 2)
}

/// A random duration from zero to `longest` ("full jitter").
pub(crate) fn up_to(longest: Duration) -> Duration {
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
