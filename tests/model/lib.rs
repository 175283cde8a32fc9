//! A model of the algorithms, written as plainly as can be: vectors of admissions, rational
//! numbers, and waits found by bisection. It is slow, and shares no logic with the library, so that
//! the property tests can compare every store with it. All times are in microseconds.

mod buckets;
mod calendar;
mod refund;
mod windows;

use actix_throttle::{Algorithm, Limit, Refill};
use num_rational::Ratio;

use self::buckets::Bucket;
pub use self::{calendar::Calendar, refund::ModelCharge};

/// An exact number: an overflow panics.
type Rational = Ratio<i128>;

/// The bound of durations that the model tells apart, in microseconds: it stands for all longer
/// ones.
pub const MAX_MICROS: u64 = (1 << 53) - 1;

/// The numbers of a limit; `window` is in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    pub algorithm: Algorithm,
    pub refill: Refill,
    pub times: u64,
    pub window: u64,
    pub capacity: u64,
    /// The calendar of a limit by it, in place of algorithm and window.
    pub calendar: Option<Calendar>,
}

impl Numbers {
    pub fn of(limit: &Limit, refill: Refill) -> Self {
        Self {
            algorithm: limit.algorithm_value(),
            refill,
            times: limit.times().into(),
            window: limit.window_micros(),
            capacity: limit.quota().into(),
            calendar: Calendar::of(limit),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Fits,
    For(u64),
    Never,
}

/// The model's answer about one limit; `reset` is in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub wait: Wait,
    pub remaining: u64,
    pub reset: u64,
    /// Microseconds until more remains; 0 if the whole quota is available.
    pub more: u64,
}

/// One counter.
#[derive(Clone, Debug)]
pub struct Model {
    numbers: Numbers,
    /// The time and the cost of every admission.
    admissions: Vec<(u64, u64)>,
    bucket: Bucket,
}

fn ratio(numerator: u64, denominator: u64) -> Rational {
    Ratio::new(numerator.into(), denominator.into())
}

fn whole(number: u64) -> Rational {
    ratio(number, 1)
}

impl Model {
    pub fn new(numbers: Numbers) -> Self {
        let level = match numbers.algorithm {
            Algorithm::LeakyBucket => whole(0),
            _ => whole(numbers.capacity),
        };
        Self {
            numbers,
            admissions: Vec::new(),
            bucket: Bucket { level, at: 0 },
        }
    }

    pub fn answer(&self, now: u64, cost: u64) -> Answer {
        let wait = if cost > self.numbers.capacity {
            Wait::Never
        } else {
            match self.cut(now, first(|x| self.fits(now + x, cost))) {
                0 => Wait::Fits,
                micros => Wait::For(micros),
            }
        };
        Answer {
            wait,
            remaining: self.remaining(now),
            reset: self.cut(now, first(|x| self.is_whole(now + x))),
            more: if self.is_whole(now) {
                0
            } else {
                let remaining = self.remaining(now);
                self.cut(now, first(|x| self.fits(now + x, remaining + 1)))
            },
        }
    }

    /// Limits a wait to `MAX_MICROS`. With interval refill, the limit applies to the time since the
    /// latest refill.
    fn cut(&self, now: u64, micros: u64) -> u64 {
        let phase = match self.numbers.refill {
            Refill::Interval => (now - self.bucket.at) % self.numbers.window,
            _ => 0,
        };
        if micros + phase < MAX_MICROS {
            micros
        } else {
            MAX_MICROS
        }
    }

    pub fn admit(&mut self, now: u64, cost: u64) {
        match self.numbers.algorithm {
            Algorithm::TokenBucket => {
                self.bucket = match self.numbers.refill {
                    Refill::Interval => self.interval_after(now, cost),
                    _ => Bucket {
                        level: self.level(now) - whole(cost),
                        at: now,
                    },
                };
            }
            Algorithm::LeakyBucket => self.bucket = self.leaky_after(now, cost),
            _ => self.admissions.push((now, cost)),
        }
    }

    fn fits(&self, now: u64, cost: u64) -> bool {
        let Numbers { times, window, .. } = self.numbers;
        if let Some(calendar) = &self.numbers.calendar {
            return self.taken_in_period(calendar, now) + cost <= times;
        }
        match self.numbers.algorithm {
            Algorithm::SlidingWindow => {
                self.taken_after(now as i128 - window as i128) + cost <= times
            }
            Algorithm::FixedWindow => self.taken_in_fixed(now) + cost <= times,
            Algorithm::SlidingWindowCounter => self.weighted(now) + whole(cost) <= whole(times),
            Algorithm::TokenBucket => self.level(now) >= whole(cost),
            Algorithm::LeakyBucket => whole(now) >= self.bucket.level,
            other => panic!("no model of {other}"),
        }
    }

    fn is_whole(&self, now: u64) -> bool {
        if let Some(calendar) = &self.numbers.calendar {
            return self.taken_in_period(calendar, now) == 0;
        }
        match self.numbers.algorithm {
            Algorithm::SlidingWindow => {
                self.taken_after(now as i128 - self.numbers.window as i128) == 0
            }
            Algorithm::FixedWindow => self.taken_in_fixed(now) == 0,
            Algorithm::SlidingWindowCounter => self.weighted(now) == whole(0),
            Algorithm::TokenBucket => self.level(now) == whole(self.numbers.capacity),
            _ => whole(now) >= self.bucket.level,
        }
    }

    fn remaining(&self, now: u64) -> u64 {
        if let Some(calendar) = &self.numbers.calendar {
            let taken = self.taken_in_period(calendar, now);
            return self.numbers.times.saturating_sub(taken);
        }
        match self.numbers.algorithm {
            // A history without one of its charges can leave a debt: later charges in turn then
            // count from another moment.
            Algorithm::TokenBucket => floor(&self.level(now).max(whole(0))),
            Algorithm::LeakyBucket => self.is_whole(now).into(),
            // The highest cost that fits.
            _ => {
                let most = first(|cost| !self.fits(now, cost + 1));
                most.min(self.numbers.times)
            }
        }
    }
}

fn floor(number: &Rational) -> u64 {
    number.floor().to_integer().try_into().unwrap()
}

/// The smallest number of `0..MAX_MICROS` for which `is_so` holds, or `MAX_MICROS` if there is
/// none. `is_so` must be monotonic: once true, it stays true.
fn first(is_so: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, MAX_MICROS);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_so(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}
