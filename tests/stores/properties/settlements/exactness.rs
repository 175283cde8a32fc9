//! How exactly a settlement has to agree with the model.

use actix_throttle::{Algorithm, Limit, Refill};

use test_model::{Model, Numbers};

pub(super) fn replayed(numbers: Numbers, charges: &[(u64, u64)]) -> Model {
    let mut model = Model::new(numbers);
    for (at, cost) in charges.iter().filter(|(_, cost)| *cost > 0) {
        model.admit(*at, *cost);
    }
    model
}

/// Returns whether the bucket has been full for so long that it may have dropped its charges.
pub(super) fn is_dropped(numbers: Numbers, charges: &[(u64, u64)], now: u64) -> bool {
    const KEPT: u64 = 600_000_000;
    charges.last().is_some_and(|(latest, _)| {
        let then = now.saturating_sub(KEPT);
        *latest <= then && replayed(numbers, charges).answer(then, 1).reset == 0
    })
}

/// The difference that the settlement of a bucket may make to the model that knew the cost before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exactness {
    Exact,
    /// The bucket was full in between, this many times, each of them for a time that is rounded up
    /// to a microsecond.
    Shorter(u64),
    /// Less is charged than the model says, if no charge had been refunded: a bucket that was full
    /// may have been forgotten, with the later charges that it had.
    AtMost,
    /// Less is refunded than the model says: later charges may have been paid by time that the
    /// charge would have needed.
    Longer,
    /// The refills come at other times than the model says, by less than a window. Less is charged
    /// than the model says, if no charge had been refunded.
    AtMostByRefills,
    /// The refills come at other times, likewise. Less is refunded than the model says.
    LongerByRefills,
}

/// The exactness of a settlement, by the history before it. `is_latest`: nothing was settled since
/// the charge, whose receipt has the debts beneath it as they were then.
pub(super) fn exactness(
    (limit, refill): (&Limit, Refill),
    charges: &[(u64, u64)],
    index: usize,
    (to, is_latest): (u64, bool),
    now: u64,
) -> Exactness {
    let numbers = Numbers::of(limit, refill);
    let later = &charges[index + 1..];
    let is_whole = |count: usize, now: u64| {
        let model = replayed(numbers, &charges[..count]);
        model.answer(now, 1).reset == 0
    };
    // The key of a full bucket has expired. What lay beneath the charge may have been refunded, so
    // it does not count, as the guide says.
    let is_forgotten = index > 0 && is_whole(charges.len(), now);
    // How long a bucket was full is known modulo twelve days. One without later charges was not
    // full before the latest one, which a bucket with interval refill does not know.
    let is_long_ago = now - charges[index].0 >= 1 << 40;
    let is_known = !(is_long_ago && refill == Refill::Interval);
    if limit.algorithm_value() != Algorithm::TokenBucket
        && limit.algorithm_value() != Algorithm::LeakyBucket
        || numbers.calendar.is_some()
        || later.is_empty() && is_latest && to < charges[index].1
        || later.is_empty() && to >= charges[index].1 && !is_forgotten && is_known
    {
        return Exactness::Exact;
    }
    if to >= charges[index].1 && is_long_ago {
        return match refill {
            Refill::Interval => Exactness::AtMostByRefills,
            _ => Exactness::AtMost,
        };
    }
    if to < charges[index].1 {
        return match refill {
            // The refills keep the beat that the first charge gave them.
            Refill::Interval => Exactness::LongerByRefills,
            _ => Exactness::Longer,
        };
    }
    let gaps = (index + 1..charges.len()).filter(|count| is_whole(*count, charges[*count].0));
    let gaps: Vec<_> = gaps.collect();
    match (refill, is_whole(charges.len(), now), gaps.as_slice()) {
        // A settlement of another charge in between may have ended a time of a full bucket, or
        // begun one, that the receipt does not know of. With several open charges, less is charged.
        (Refill::Interval, false, []) if !is_latest => Exactness::AtMostByRefills,
        (_, false, []) => Exactness::Exact,
        (Refill::Interval, ..) => Exactness::AtMostByRefills,
        // The bucket was full after the charge, beneath which lay nothing, and in debt since. It
        // cannot have been full for as long as a bucket counts that was created then.
        (_, false, [gap])
            if is_latest && index == 0 && *gap == index + 1 && {
                let latest = charges[charges.len() - 1].0 - charges[index].0;
                let own = u128::from(charges[index].1) * u128::from(numbers.window);
                let own = own / u128::from(numbers.times);
                u128::from(charges[*gap].0 - charges[index].0) + own > u128::from(latest) + 1
            } =>
        {
            Exactness::Shorter(1)
        }
        _ => Exactness::AtMost,
    }
}
