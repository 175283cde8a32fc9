//! Refunds in the model, as plain as the charges: an admission is struck out, and a bucket gains
//! what the charge alone would still withhold from it.

use actix_throttle::{Algorithm, Refill};

use super::{Model, Numbers, Rational, buckets::Bucket, ratio, whole};

/// One charge, with the bucket right after it.
#[derive(Clone, Debug)]
pub struct ModelCharge {
    at: u64,
    cost: u64,
    bucket: Bucket,
}

impl Model {
    /// The charge that was admitted just now.
    pub fn taken(&self, at: u64, cost: u64) -> ModelCharge {
        let bucket = self.bucket.clone();
        ModelCharge { at, cost, bucket }
    }

    /// Refunds a charge. `now` must not be before it.
    pub fn refund(&mut self, now: u64, taken: &ModelCharge) {
        match self.numbers.algorithm {
            Algorithm::TokenBucket => self.refill(now, taken),
            Algorithm::LeakyBucket => self.shorten(now, taken),
            Algorithm::FixedWindow if self.numbers.calendar.is_none() => {
                self.strike_out_of_fixed(now, taken);
            }
            _ => {
                let found = self.admissions.iter().position(|one| is(taken, *one));
                self.admissions.remove(found.unwrap());
            }
        }
    }

    fn refill(&mut self, now: u64, taken: &ModelCharge) {
        let Numbers {
            window, capacity, ..
        } = self.numbers;
        let beat = self.bucket.at.abs_diff(taken.bucket.at) % window;
        if self.numbers.refill == Refill::Interval && beat != 0 {
            // The bucket was full in between, so nothing of the charge is left.
            return;
        }
        let alone = Model {
            bucket: taken.bucket.clone(),
            ..Model::new(self.numbers)
        };
        let left = (whole(capacity) - alone.level(now)).min(whole(taken.cost));
        let level = (self.level(now) + left).min(whole(capacity));
        let at = match self.numbers.refill {
            // Refills keep their beat.
            Refill::Interval => now - (now - self.bucket.at) % window,
            _ => now,
        };
        self.bucket = Bucket { level, at };
    }

    fn shorten(&mut self, now: u64, taken: &ModelCharge) {
        let slot = ratio(self.numbers.window, self.numbers.times);
        let left = (taken.bucket.level - whole(now)).min(slot * whole(taken.cost));
        if left <= whole(0) {
            return;
        }
        let due: Rational = self.bucket.level - left;
        let due = if due > whole(now) { due } else { whole(0) };
        self.bucket.level = due;
    }

    /// Strikes a charge out of a fixed window. The window keeps its start until it is empty.
    fn strike_out_of_fixed(&mut self, now: u64, taken: &ModelCharge) {
        if now - taken.window_start(self) >= self.numbers.window {
            return;
        }
        let found = self.admissions.iter().position(|one| is(taken, *one));
        self.admissions[found.unwrap()].1 = 0;
        if self.taken_in_fixed(now) == 0 {
            let start = taken.window_start(self);
            self.admissions.retain(|(at, _)| *at < start);
        }
    }
}

impl ModelCharge {
    /// The start of the fixed window that the charge belongs to.
    fn window_start(&self, model: &Model) -> u64 {
        let mut start = 0;
        for (at, _) in &model.admissions {
            if *at <= self.at && (start == 0 || at - start >= model.numbers.window) {
                start = *at;
            }
        }
        start
    }
}

fn is(taken: &ModelCharge, admission: (u64, u64)) -> bool {
    admission == (taken.at, taken.cost)
}
