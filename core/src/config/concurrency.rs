//! Reads a concurrency limit of the file, which has `max` in place of a rate.

use crate::{
    intern::intern,
    limit::Concurrency,
    vocabulary::{self, Argument},
};

use super::{
    diagnostics::Diagnostics, duration::duration, keys, position::Position, reader::TableReader,
};

/// The limit in place of one whose `max` is wrong, so that its other keys are checked all the same.
const PLACEHOLDER: Concurrency = Concurrency::new(1);

/// Whether this table is a concurrency limit.
pub(crate) fn is_meant(table: &TableReader<'_>) -> bool {
    let without_rate = || table.has(&vocabulary::EXPIRY) || keys::is_meant(table, &vocabulary::MAX);
    table.has(&vocabulary::MAX) || (!keys::has_rate(table) && without_rate())
}

/// Reads the keys of a [`Concurrency`]. The limit starts at `position`.
pub(crate) fn concurrency(
    table: &mut TableReader<'_>,
    position: Position,
    diagnostics: &mut Diagnostics,
) -> Option<Concurrency> {
    let reason = |key: &Argument| {
        let what = "`max` makes this a concurrency limit, which has no use for";
        if keys::is_times_or_window(key) {
            format!(
                "{what} `{}`: remove it, or make the rate a limit of its own",
                key.name
            )
        } else {
            format!("{what} `{}`: remove it", key.name)
        }
    };
    table.refuse(keys::only_of_rate(), reason, diagnostics);
    if !keys::is_meant(table, &vocabulary::MAX) {
        diagnostics.at(
            position,
            "`max` is missing: add `max = 5`, the number of requests that may run at once",
        );
    }
    let sound = table.count(&vocabulary::MAX, diagnostics).and_then(|max| {
        let limit = Concurrency::new(max.value);
        diagnostics
            .ok(max.position, limit.validate())
            .map(|()| limit)
    });
    let mut limit = sound.unwrap_or(PLACEHOLDER);
    if let Some(expiry) = duration(table, &vocabulary::EXPIRY, diagnostics) {
        let candidate = limit.expiry(expiry.value);
        if diagnostics
            .ok(expiry.position, candidate.validate())
            .is_some()
        {
            limit = candidate;
        }
    }
    if let Some(name) = table.text(&vocabulary::NAME, diagnostics) {
        let candidate = limit.name(intern(name.value));
        if diagnostics
            .ok(name.position, candidate.validate())
            .is_some()
        {
            limit = candidate;
        }
    }
    if let Some(zone) = table.text(&vocabulary::ZONE, diagnostics) {
        limit = limit.zone(intern(zone.value));
    }
    if table.flag(&vocabulary::SHADOW, diagnostics) {
        limit = limit.shadow();
    }
    sound.map(|_| limit)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        config::testing::parse,
        failure_mode::FailureMode,
        limit::{AnyLimit, LimitOptions, NamedLimit},
    };

    #[test]
    fn table_with_max_is_a_concurrency_limit() {
        let file = parse(
            "limits.plain.max = 5
             [limits.whole]
             max = 1_000_000
             expiry = '24h'
             name = 'a b'
             zone = 'z'
             shadow = true
             failure_mode = 'closed'
             max_wait = '1s 500us'",
        );
        let limits = file.expect("a right file").limits;
        let plain = NamedLimit {
            limit: AnyLimit::Concurrency(Concurrency::new(5)),
            options: LimitOptions::default(),
        };
        assert_eq!(limits["plain"], plain);
        let whole = Concurrency::new(1_000_000)
            .expiry(Duration::from_secs(24 * 60 * 60))
            .name("a b")
            .zone("z")
            .shadow();
        let whole = NamedLimit {
            limit: AnyLimit::Concurrency(whole),
            options: LimitOptions {
                slow_down: Default::default(),
                failure_mode: Some(FailureMode::Closed),
                refund_on: None,
                settle: None,
                max_wait: Some(Duration::from_micros(1_000_500)),
            },
        };
        assert_eq!(limits["whole"], whole);
    }

    /// Checks all diagnostics of each text, with their positions.
    #[test]
    fn each_diagnostic_has_its_position() {
        let expiry = "`expiry` must be from 100 milliseconds to 24 hours";
        let rows = [
            ("max = 0", "1:20: `max` must be at least 1"),
            ("max = -1", "1:20: `max` must be at least 1"),
            ("max = 1_000_001", "1:20: `max` must be from 1 to 1,000,000"),
            (
                "max = 5_000_000_000",
                "1:20: `max` must be from 1 to 1,000,000",
            ),
            (
                "max = '5'",
                "1:20: `max` takes an integer, not a string: write `max = 5`",
            ),
            (
                "expiry = '5s'",
                "1:8: `max` is missing: add `max = 5`, the number of requests that may run at once",
            ),
            ("max = 5, expiry = '99ms'", &format!("1:32: {expiry}")),
            ("max = 5, expiry = '24h 1ms'", &format!("1:32: {expiry}")),
            (
                "max = 5, expiry = '5'",
                "1:32: not a duration: time unit needed, for example 5sec or 5ms; \
                 write `expiry = \"30s\"` or `\"1h 30m\"`",
            ),
            (
                "max = 5, expiry = 5",
                "1:32: `expiry` takes a string, not an integer: write `expiry = \"30s\"`",
            ),
            (
                "max = 5, name = 'ö'",
                "1:30: `name` goes into a header: write printable ASCII characters, at least one",
            ),
            (
                "max = 5, zone = ''",
                "1:30: `zone` is empty: write `zone = \"login\"`",
            ),
        ];
        for (table, expected) in rows {
            let error = parse(&format!("limits.a = {{ {table} }}")).expect_err(table);
            assert_eq!(error, format!("a.toml:{expected}"), "{table}");
        }
    }

    #[test]
    fn rate_keys_are_refused() {
        let numbers =
            "rate = '1/s'|times = 5|milliseconds = 1|seconds = 1|minutes = 1|hours = 1|days = 1";
        let others = "algorithm = 'fixed_window'|capacity = 5|refill = 'greedy'|lease = 5|block = '5s'|cost = 2\
                      |refund_on = '5xx'|settle = true";
        for (pairs, end) in [
            (numbers, "remove it, or make the rate a limit of its own"),
            (others, "remove it"),
        ] {
            for pair in pairs.split('|') {
                let error = parse(&format!("limits.a = {{ max = 5, {pair} }}")).expect_err(pair);
                let key = pair.split(' ').next().expect("a key");
                let what = "`max` makes this a concurrency limit, which has no use for";
                let expected = format!("a.toml:1:23: {what} `{key}`: {end}");
                assert_eq!(error, expected, "{pair}");
            }
        }
        let error = parse("limits.a = { rate = '1/s', expiry = '5s' }").expect_err("no position");
        let expected = "a.toml:1:28: `expiry` belongs to a concurrency limit: remove it, or \
                        write `max = 5` in place of the rate";
        assert_eq!(error, expected);
    }

    #[test]
    fn rule_refuses_keys_that_its_named_limit_lacks() {
        let error = parse(
            "limits.a.max = 5
rules = [{ limits = [
  { limit = 'a', refund_on = '5xx' },
  { limit = 'a', max = 6 },
  { limit = 'a', expiry = '5s' },
  { unlimited = true, group = 'a', max = 6 },
  { max = 6, refund_on = '5xx' },
] }]",
        );
        let lines = [
            "a.toml:3:18: `a` is a concurrency limit and has no use for `refund_on`: remove it",
            "a.toml:4:18: `limit` names a limit that says this: remove `max`",
            "a.toml:5:18: `limit` names a limit that says this: remove `expiry`",
            "a.toml:6:36: `unlimited` has no use for `max`: remove it",
            "a.toml:7:14: `max` makes this a concurrency limit, which has no use for `refund_on`: remove it",
        ];
        let error = error.expect_err("diagnostics");
        assert_eq!(error.lines().collect::<Vec<_>>(), lines);
    }
}
