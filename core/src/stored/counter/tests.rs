use super::*;

const NOW: Micros = 1_764_000_003_000_000;
const TEN_SECONDS: Micros = 10_000_000;

fn exact(used: u32, reset: Micros) -> StoredUsage {
    StoredUsage::exact(used, reset)
}

#[test]
fn fixed_window_counts_until_it_ends() {
    let state = StoredState::Window {
        start: NOW,
        used: 3,
    };
    let at = |now| state.usage(Counting::FixedWindow, TEN_SECONDS, now, None);
    assert_eq!(at(NOW + 1), exact(3, TEN_SECONDS - 1));
    assert_eq!(at(NOW + TEN_SECONDS), exact(0, 0));
    assert_eq!(at(NOW - 1), exact(0, 0));
}

#[test]
fn calendar_window_counts_until_its_period_ends() {
    let mut raw = Vec::new();
    raw.extend(&NOW.to_be_bytes()[1..]);
    raw.extend(3_u32.to_be_bytes());
    let state = StoredState::decode(Counting::Calendar, &mut &raw[..]).expect("a value");
    let used = StoredState::Calendar {
        latest: NOW,
        used: 3,
    };
    assert_eq!(state, used);
    let at = |left| state.usage(Counting::Calendar, 0, NOW, left);
    assert_eq!(at(Some(7)), exact(3, 7));
    assert_eq!(at(Some(0)), exact(0, 0));
    assert_eq!(at(None).used, 3);
    let cut = StoredState::decode(Counting::Calendar, &mut &raw[..10]);
    assert_eq!(cut, None);
}

#[test]
fn window_counters_weigh_the_previous_window_rounded_up() {
    // 3 s of the current window have passed.
    let state = StoredState::Counters {
        start: NOW - 3_000_000,
        current: 2,
        previous: 5,
    };
    let at = |now| state.usage(Counting::SlidingWindowCounter, TEN_SECONDS, now, None);
    assert_eq!(at(NOW), exact(2 + 4, 17_000_000));
    assert_eq!(at(NOW + TEN_SECONDS), exact(2, 7_000_000));
    assert_eq!(at(NOW + 2 * TEN_SECONDS), exact(0, 0));
}

#[test]
fn bucket_drains_by_the_expiry_of_its_key() {
    let debt = StoredState::Debt {
        whole: 9,
        part: 1,
        since: NOW,
    };
    // Ten tokens drain in ten seconds.
    let used = |now, left| {
        debt.usage(Counting::GreedyBucket, 1_000_000, now, left)
            .used
    };
    assert_eq!(used(NOW, Some(TEN_SECONDS)), 10);
    assert_eq!(used(NOW + 2_500_000, Some(7_500_000)), 8);
    assert_eq!(used(NOW + TEN_SECONDS, Some(0)), 0);
    // Nothing tells how fast it drains if there is no expiry.
    assert_eq!(used(NOW + 1, None), 10);
    // Four refills come, of three tokens or so.
    let interval = Counting::IntervalBucket;
    let used = |now, left| debt.usage(interval, TEN_SECONDS, now, Some(left)).used;
    assert_eq!(used(NOW + TEN_SECONDS - 1, 30_000_001), 10);
    assert_eq!(used(NOW + TEN_SECONDS, 30_000_000), 8);
    assert_eq!(used(NOW + 3 * TEN_SECONDS, TEN_SECONDS), 3);
    assert_eq!(used(NOW + 3 * TEN_SECONDS, TEN_SECONDS + 900), 3);
    assert_eq!(used(NOW + 4 * TEN_SECONDS + 1, 0), 0);
}

#[test]
fn flag_of_a_debt_beyond_the_capacity_is_no_fraction() {
    let mut raw = 250_u32.to_be_bytes().to_vec();
    raw.extend(&IS_BEYOND.to_be_bytes()[2..]);
    raw.extend(&NOW.to_be_bytes()[1..]);
    raw.extend([0; 5 + 6]);
    let beyond = StoredState::decode(Counting::GreedyBucket, &mut &raw[..]).expect("a debt");
    let usage = beyond.usage(Counting::GreedyBucket, 1_000_000, NOW, None);
    assert_eq!(usage.used, 250);
}

#[test]
fn value_is_read_to_its_end_and_no_further() {
    for counting in [
        Counting::FixedWindow,
        Counting::Calendar,
        Counting::SlidingWindowCounter,
        Counting::GreedyBucket,
        Counting::IntervalBucket,
        Counting::LeakyBucket,
    ] {
        let width = StoredState::width(counting);
        let raw = [0; 32];
        let mut rest = &raw[..];
        assert!(StoredState::decode(counting, &mut rest).is_some());
        assert_eq!(rest.len(), raw.len() - width, "{counting:?}");
        let cut = StoredState::decode(counting, &mut &raw[..width - 1]);
        assert_eq!(cut, None, "{counting:?}");
    }
}

#[test]
fn foreign_values_are_not_read() {
    for counting in [
        Counting::FixedWindow,
        Counting::SlidingWindowCounter,
        Counting::GreedyBucket,
        Counting::LeakyBucket,
    ] {
        let read = StoredState::decode(counting, &mut &b"nonsense"[..]);
        assert_eq!(read, None, "{counting:?}");
    }
    let log = StoredState::decode(Counting::SlidingWindow, &mut &[0; 32][..]);
    assert_eq!(log, None);
}
