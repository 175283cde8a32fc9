//! The window of a rate limit: the sum of the given lengths of time.

use actix_throttle_core::{
    limit::Limit,
    text::{unit::TimeUnit, word::Word},
};
use syn::Expr;

use super::value::{Number, number};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// The length of a window.
pub(crate) struct Window {
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

    /// Returns whether any of these arguments is given.
    pub(crate) fn is_given(arguments: &Arguments) -> bool {
        Self::NAMES
            .iter()
            .any(|name| arguments.named(*name).is_some())
    }

    /// Returns the window from these arguments; `None` if it is missing or invalid, and therefore
    /// reported.
    pub(crate) fn from_arguments(arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        let mut window = Self {
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
            let message = "the window is missing: add `seconds = 60`, or `milliseconds`, \
                           `minutes`, `hours`, `days`";
            errors.at(&arguments.anchor, message);
            return None;
        }
        flawless.then_some(window)
    }

    /// Returns the window of a rate string.
    pub(crate) fn from_rate(rate: &Limit) -> Self {
        Self {
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
