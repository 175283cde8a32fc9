//! Reads times and window of a rate: in one, apart, or by the calendar.

use std::time::Duration;

use crate::{
    calendar::Period,
    limit::{Algorithm, Limit, range},
    text::unit::TimeUnit,
    vocabulary::{self, Argument},
};

use super::{
    diagnostics::Diagnostics,
    keys,
    position::{Position, Spanned},
    reader::TableReader,
};

/// Keys of the units of time.
static UNITS: [(&Argument, TimeUnit); 5] = [
    (&vocabulary::MILLISECONDS, TimeUnit::Milliseconds),
    (&vocabulary::SECONDS, TimeUnit::Seconds),
    (&vocabulary::MINUTES, TimeUnit::Minutes),
    (&vocabulary::HOURS, TimeUnit::Hours),
    (&vocabulary::DAYS, TimeUnit::Days),
];

/// A window as it is written.
enum Window {
    Length(Duration),
    Period(Period),
}

/// Reads times and window, from `rate` or from their own keys. The position is that of the times.
pub(crate) fn rate(
    table: &mut TableReader<'_>,
    position: Position,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Limit>> {
    let rate = table.text(&vocabulary::RATE, diagnostics);
    if table.has(&vocabulary::RATE) {
        let reason =
            |key: &Argument| format!("`rate` says this already: remove `{}`, or `rate`", key.name);
        table.refuse(keys::TIMES_AND_WINDOW, reason, diagnostics);
        let rate = rate?;
        let limit = diagnostics.ok(rate.position, rate.value.parse())?;
        return Some(Spanned {
            position: rate.position,
            value: limit,
        });
    }
    let by_calendar = keys::is_meant(table, &vocabulary::EVERY);
    let (has_times, has_window) = (
        keys::is_meant(table, &vocabulary::TIMES),
        by_calendar || UNITS.iter().any(|(unit, _)| keys::is_meant(table, unit)),
    );
    let times = table.count(&vocabulary::TIMES, diagnostics);
    let window = if by_calendar {
        period(table, diagnostics)
    } else {
        window(table, diagnostics)
    };
    let missing = match (has_times, has_window) {
        _ if keys::is_meant(table, &vocabulary::RATE) => "",
        (false, false) => {
            "the limit is missing: add `rate = \"100/minute\"`, or `max = 5` for so many at once"
        }
        (false, true) => {
            "`times` is missing: add `times = 100`, or write it as `rate = \"100/minute\"`"
        }
        (true, false) => range::WINDOW_MISSING,
        (true, true) => "",
    };
    if !missing.is_empty() {
        diagnostics.at(position, missing);
    }
    let (times, window) = (times?, window?);
    let limit = match window.value {
        Window::Period(period) => Limit::every(period, times.value),
        Window::Length(length) => {
            // The algorithm takes any times, so that an error here is about the window.
            let one = Limit::new(1, length).algorithm(Algorithm::FixedWindow);
            diagnostics.ok(window.position, one.validate())?;
            Limit::new(times.value, length)
        }
    };
    Some(Spanned {
        position: times.position,
        value: limit,
    })
}

/// Reads a period of the calendar. A unit of time beside it is reported.
fn period(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> Option<Spanned<Window>> {
    let reason = |key: &Argument| {
        format!(
            "`every` says this already: remove `{}`, or `every`",
            key.name
        )
    };
    table.refuse(UNITS.iter().map(|(unit, _)| *unit), reason, diagnostics);
    let Spanned { position, value } = table.word(&vocabulary::EVERY, diagnostics)?;
    Some(Spanned {
        position,
        value: Window::Period(value),
    })
}

/// Reads the units of time and adds them up. The position is that of the first unit.
fn window(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> Option<Spanned<Window>> {
    // A period could stand here, so errors list it.
    table.take(&vocabulary::EVERY);
    let mut sum: Option<Spanned<u64>> = None;
    let mut flawless = true;
    for (argument, unit) in UNITS {
        let is_given = table.has(argument);
        match table.count(argument, diagnostics) {
            Some(Spanned { position, value }) => {
                let (position, before) = sum.map_or((position, 0), |sum| (sum.position, sum.value));
                let value = u64::from(value).saturating_mul(unit.micros());
                let value = value.saturating_add(before);
                sum = Some(Spanned { position, value });
            }
            None => flawless &= !is_given,
        }
    }
    let Spanned { position, value } = sum.filter(|_| flawless)?;
    let value = Window::Length(Duration::from_micros(value));
    Some(Spanned { position, value })
}

#[cfg(test)]
mod tests {
    use crate::config::testing::parse;

    fn errors(limit: &str) -> Vec<String> {
        let error = parse(&format!("limits.a = {{ {limit} }}")).expect_err(limit);
        error.lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn misspelt_window_is_one_error() {
        for (limit, meant) in [
            (
                "times = 5, evry = 'day'",
                "unknown key `evry`, did you mean `every`? ",
            ),
            (
                "times = 5, evry = 'day', time_zone = 'UTC'",
                "unknown key `evry`, did you mean `every`? ",
            ),
            (
                "times = 5, minuts = 1",
                "unknown key `minuts`, did you mean `minutes`? ",
            ),
            (
                "times = 5, Seconds = 1",
                "unknown key `Seconds`, did you mean `seconds`? ",
            ),
            (
                "tiems = 5, seconds = 1",
                "unknown key `tiems`, did you mean `times`? ",
            ),
            ("rat = '5/s'", "unknown key `rat`, did you mean `rate`? "),
            ("maks = 5", "unknown key `maks`, did you mean `max`? "),
        ] {
            let errors = errors(limit);
            assert_eq!(errors.len(), 1, "{limit}: {errors:#?}");
            assert!(errors[0].contains(meant), "{limit}: {errors:#?}");
            for key in ["`every`", "`seconds`", "`times`", "`rate`"] {
                assert!(errors[0].contains(key), "{limit}: {key}: {errors:#?}");
            }
        }
    }

    #[test]
    fn what_is_missing_beside_a_misspelt_key_is_reported() {
        let no_times = errors("evry = 'day'");
        assert_eq!(no_times.len(), 2, "{no_times:#?}");
        assert!(no_times[0].contains("`times` is missing"), "{no_times:#?}");
        let no_window = errors("tiems = 5");
        assert_eq!(no_window.len(), 2, "{no_window:#?}");
        assert!(
            no_window[0].contains("the window is missing"),
            "{no_window:#?}"
        );
        let neither = errors("times = 5, flavour = 'sweet'");
        assert_eq!(neither.len(), 2, "{neither:#?}");
        assert!(neither[0].contains("`every = \"day\"`"), "{neither:#?}");
        assert!(neither[1].contains("`every`"), "{neither:#?}");
    }
}
