//! Reads the options of a limit apart from its numbers.

use std::time::Duration;

use crate::{
    limit::{
        Limit, LimitOptions, SlowDown,
        range::{self, Subject},
    },
    status_set::StatusSet,
    vocabulary::{self, Argument},
};

use super::{diagnostics::Diagnostics, duration::duration, position::Spanned, reader::TableReader};

/// Reads the options of a rate. `limit` is the rate, unless its numbers are invalid.
pub(crate) fn of_rate(
    table: &mut TableReader<'_>,
    limit: Option<&Limit>,
    diagnostics: &mut Diagnostics,
) -> LimitOptions {
    if limit.is_some_and(|limit| limit.lease_size() > 0) {
        let reason = |_: &Argument| range::SETTLE_WITH_LEASE.to_owned();
        table.refuse([&vocabulary::SETTLE], reason, diagnostics);
    }
    LimitOptions {
        refund_on: refund_on(table, diagnostics),
        settle: settle(table, diagnostics),
        slow_down: slow_down(table, limit, diagnostics),
        ..of_concurrency(table, diagnostics)
    }
}

/// Reads the options of a concurrency limit.
pub(crate) fn of_concurrency(
    table: &mut TableReader<'_>,
    diagnostics: &mut Diagnostics,
) -> LimitOptions {
    let mode = table.word(&vocabulary::FAILURE_MODE, diagnostics);
    LimitOptions {
        failure_mode: mode.map(|mode| mode.value),
        refund_on: None,
        settle: None,
        max_wait: max_wait(table, diagnostics),
        slow_down: SlowDown::default(),
    }
}

/// Reads how long requests may wait for room.
pub(crate) fn max_wait(
    table: &mut TableReader<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Duration> {
    let Spanned { position, value } = duration(table, &vocabulary::MAX_WAIT, diagnostics)?;
    diagnostics
        .ok(position, range::check_max_wait(value))
        .map(|()| value)
}

/// Returns what `settle` says; `None` without it. The reader learns of the key in any case.
fn settle(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> Option<bool> {
    let is_given = table.has(&vocabulary::SETTLE);
    let settles = table.flag(&vocabulary::SETTLE, diagnostics);
    is_given.then_some(settles)
}

/// Reads the words of a slow-down, and checks them together with the limit.
fn slow_down(
    table: &mut TableReader<'_>,
    limit: Option<&Limit>,
    diagnostics: &mut Diagnostics,
) -> SlowDown {
    let keys = [
        &vocabulary::SLOW_AFTER,
        &vocabulary::SLOW_BY,
        &vocabulary::SLOW_MAX,
    ];
    let written = keys.map(|key| table.has(key));
    let after = table.count(&vocabulary::SLOW_AFTER, diagnostics);
    let by = duration(table, &vocabulary::SLOW_BY, diagnostics);
    let max = duration(table, &vocabulary::SLOW_MAX, diagnostics);
    let read = [after.is_some(), by.is_some(), max.is_some()];
    // A word that cannot be read was reported, and does not count as missing.
    if read != written {
        return SlowDown::default();
    }
    let slow_down = SlowDown {
        after: after.as_ref().map(|word| word.value),
        by: by.as_ref().map(|word| word.value),
        max: max.as_ref().map(|word| word.value),
    };
    let Err(error) = slow_down.check(limit) else {
        return slow_down;
    };
    let (after, by, max) = (
        after.map(|word| word.position),
        by.map(|word| word.position),
        max.map(|word| word.position),
    );
    let position = match error.subject() {
        Subject::SlowBy => by,
        Subject::SlowMax => max,
        _ => after,
    };
    if let Some(position) = position.or(after).or(by).or(max) {
        diagnostics.at(position, error.to_string());
    }
    SlowDown::default()
}

fn refund_on(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> Option<StatusSet> {
    let statuses = table.text(&vocabulary::REFUND_ON, diagnostics)?;
    diagnostics.ok(statuses.position, statuses.value.parse())
}

#[cfg(test)]
mod tests {
    use crate::config::testing::parse;

    #[test]
    fn max_wait_diagnostic_has_its_position() {
        let range =
            "`max_wait` must be from 1 millisecond to 24 hours; leave it out to deny at once";
        let no_duration = |reason: &str| {
            format!("not a duration: {reason}; write `max_wait = \"500ms\"` or `\"1h 30m\"`")
        };
        let takes = "`max_wait` takes a string, not an integer: write `max_wait = \"500ms\"`";
        let rows = [
            ("'0s'", range),
            ("'999us'", range),
            ("'24h 1ms'", range),
            (
                "'5'",
                &no_duration("time unit needed, for example 5sec or 5ms"),
            ),
            ("'soon'", &no_duration("expected number at 0")),
            ("''", "`max_wait` is empty: write `max_wait = \"500ms\"`"),
            ("500", takes),
        ];
        for (value, expected) in rows {
            for (text, position) in [
                (
                    format!("limits.a = {{ rate = '1/s', max_wait = {value} }}"),
                    "1:39",
                ),
                (
                    format!("limits.a = {{ max = 5, max_wait = {value} }}"),
                    "1:34",
                ),
                (
                    format!("[[rules]]\nmax_wait = {value}\nlimits = ['1/s']"),
                    "2:12",
                ),
                (
                    format!(
                        "limits.a = '1/s'\n[[rules]]\nlimits = [{{ limit = 'a', max_wait = {value} }}]"
                    ),
                    "3:37",
                ),
            ] {
                let error = parse(&text).expect_err(&text);
                assert_eq!(error, format!("a.toml:{position}: {expected}"), "{text}");
            }
        }
        for value in ["1ms", "24h"] {
            parse(&format!("limits.a = {{ max = 5, max_wait = '{value}' }}")).expect(value);
        }
    }

    #[test]
    fn unlimited_entry_takes_no_max_wait() {
        let error = parse(
            "[[rules]]
exempt = true
max_wait = '1s'
[[rules]]
limits = ['1/s', { unlimited = true, group = 'a', max_wait = '1s' }]",
        );
        let lines = [
            "a.toml:3:1: `exempt` leaves these requests alone: remove `max_wait`",
            "a.toml:5:51: `unlimited` has no use for `max_wait`: remove it",
        ];
        let error = error.expect_err("diagnostics");
        assert_eq!(error.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn max_wait_of_entry_precedes_named_limit_and_rule() {
        let file = parse(
            "limits.slow = { rate = '1/s', max_wait = '3s' }
             limits.fast = '2/s'
             limits.few.max = 5
             [[rules]]
             max_wait = '1s'
             limits = [
               '4/s',
               { rate = '5/s', max_wait = '2s', group = 'a' },
               'slow',
               'few',
               { limit = 'slow', max_wait = '4s', group = 'a' },
               { limit = 'fast', failure_mode = 'open' },
               { max = 6, name = 'six' },
               { group = 'admin', unlimited = true },
             ]",
        );
        let rule = file
            .expect("a right file")
            .rules
            .remove(0)
            .value
            .to_string();
        let shares = [
            "4/1s, max_wait 1s",
            "5/1s, max_wait 2s, group a",
            "limit slow",
            "limit few, max_wait 1s",
            "limit slow, max_wait 4s, group a",
            "limit fast, failure_mode open, max_wait 1s",
            "6 at once, name six, max_wait 1s",
            "unlimited, group admin",
        ];
        assert_eq!(rule, format!("all paths: {}", shares.join("; ")));
    }
}
