//! The window of a rate limit: the sum of the given lengths of time, or a period of the calendar.

use actix_throttle_core::{
    calendar::{Period, TimeZone},
    limit::{Limit, range},
    text::{unit::TimeUnit, word::Word},
};
use syn::{Expr, LitStr};

use super::value::{Number, number, string, word};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// A window: a length, or each period of the calendar.
pub(crate) struct Window {
    /// The period, in place of a length.
    pub(crate) every: Option<Period>,
    /// The sum of all literal lengths, in microseconds.
    pub(crate) literal_micros: u64,
    /// The lengths given as expressions, each with its unit in microseconds.
    pub(crate) computed: Vec<(u64, Expr)>,
}

impl Window {
    /// The arguments that give a window, in the order of [`TimeUnit`].
    pub(crate) const NAMES: [ArgName; 5] = [
        ArgName::Milliseconds,
        ArgName::Seconds,
        ArgName::Minutes,
        ArgName::Hours,
        ArgName::Days,
    ];

    /// Returns whether the argument gives a window.
    pub(crate) fn gives(name: ArgName) -> bool {
        name == ArgName::Every || Self::NAMES.contains(&name)
    }

    /// Returns whether a window is given.
    pub(crate) fn is_given(arguments: &Arguments) -> bool {
        arguments.names().any(|(name, _)| Self::gives(name))
    }

    /// Returns the window from these arguments; `None` if it is missing or invalid, and therefore
    /// reported.
    pub(crate) fn from_arguments(arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        if arguments.named(ArgName::Every).is_some() {
            return Self::every(arguments, errors);
        }
        let mut window = Self {
            every: None,
            literal_micros: 0,
            computed: Vec::new(),
        };
        let mut flawless = true;
        for (name, unit) in Self::NAMES.into_iter().zip(TimeUnit::ALL) {
            match number(arguments, name, errors) {
                Some(Number::Known { value: 0, span }) => {
                    let message =
                        format!("`{name} = 0` is not a window: write 1 or more, or leave it out");
                    errors.push(syn::Error::new(span, message));
                    flawless = false;
                }
                Some(number) => window.add(number, unit.micros()),
                None => flawless &= arguments.named(name).is_none(),
            }
        }
        if !Self::is_given(arguments) {
            errors.at(&arguments.anchor, range::WINDOW_MISSING);
            return None;
        }
        flawless.then_some(window)
    }

    /// Returns the period of the calendar. A length beside it is an error.
    fn every(arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        for name in Self::NAMES {
            if let Some(argument) = arguments.named(name) {
                let message = format!("`every` says this already: remove `{name}`, or `every`");
                errors.at(&argument.name, message);
            }
        }
        let period = word(arguments, ArgName::Every, errors)?;
        Some(Self {
            every: Some(period),
            literal_micros: 0,
            computed: Vec::new(),
        })
    }

    /// Returns the window of a rate string.
    pub(crate) fn from_rate(rate: &Limit) -> Self {
        Self {
            every: None,
            literal_micros: rate.window_micros(),
            computed: Vec::new(),
        }
    }

    /// Returns the length in microseconds, unless the compiler must evaluate an expression first.
    pub(crate) fn known_micros(&self) -> Option<u64> {
        self.computed.is_empty().then_some(self.literal_micros)
    }

    fn add(&mut self, number: Number, unit: u64) {
        match number {
            Number::Known { value, .. } => {
                let micros = value.saturating_mul(unit);
                self.literal_micros = self.literal_micros.saturating_add(micros);
            }
            Number::Const(expr) => self.computed.push((unit, *expr)),
        }
    }
}

/// Parses the name of a time zone; `None` if it is absent, or invalid and therefore reported.
pub(crate) fn time_zone(arguments: &Arguments, errors: &mut Errors) -> Option<LitStr> {
    let text = string(arguments, ArgName::TimeZone, errors)?;
    let zone = TimeZone::parse(&text.value());
    errors.ok(zone.map_err(|message| syn::Error::new_spanned(&text, message)))?;
    Some(text)
}
