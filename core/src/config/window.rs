//! Reads times and window of a rate: in one, apart, or by the calendar.

use std::time::Duration;

use crate::{
    calendar::Period,
    limit::{Algorithm, Limit},
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
    let by_calendar = table.has(&vocabulary::EVERY);
    let (has_times, has_window) = (
        table.has(&vocabulary::TIMES),
        by_calendar || UNITS.iter().any(|(unit, _)| table.has(unit)),
    );
    let times = table.count(&vocabulary::TIMES, diagnostics);
    let window = if by_calendar {
        period(table, diagnostics)
    } else {
        window(table, diagnostics)
    };
    let missing = match (has_times, has_window) {
        (false, false) => {
            "the limit is missing: add `rate = \"100/minute\"`, or `max = 5` for so many at once"
        }
        (false, true) => {
            "`times` is missing: add `times = 100`, or write it as `rate = \"100/minute\"`"
        }
        (true, false) => {
            "the window is missing: add `seconds = 60`, or `milliseconds`, `minutes`, `hours`, `days`"
        }
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
