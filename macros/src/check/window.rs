//! The window of a rate limit: the sum of the given lengths of time.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, LitStr};

use super::value::{Number, assigned, integer};
use crate::{args::Arguments, errors::Errors, name::ArgName, rate::Rate};

/// Shortest and longest window, in microseconds.
const SHORTEST: u64 = 1_000;
const LONGEST: u64 = 366 * 86_400_000_000;

/// Units in microseconds, in the order of [`Window::NAMES`].
const UNITS: [u64; 5] = [1_000, 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000];

/// The length of a window.
pub(crate) struct Window {
    /// The sum of all literal lengths, in microseconds.
    pub(crate) literal_micros: u64,
    /// The lengths given as expressions, each with its unit in microseconds.
    pub(crate) computed: Vec<(u64, Expr)>,
    /// The user's tokens, for errors about the window.
    pub(crate) tokens: TokenStream,
}

impl Window {
    /// The arguments that give a window.
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
            tokens: TokenStream::new(),
        };
        let mut flawless = true;
        for (name, micros) in Self::NAMES.into_iter().zip(UNITS) {
            let Some(argument) = arguments.named(name) else {
                continue;
            };
            let number = assigned(name, argument, errors)
                .and_then(|expr| errors.ok(integer(name, expr, 1..=u64::MAX)));
            match number {
                Some(number) => window.add(number, micros),
                None => flawless = false,
            }
        }
        if !Self::is_given(arguments) {
            let message = "the window is missing: add `seconds = 60`, or `milliseconds`, \
                           `minutes`, `hours`, `days`";
            errors.at(&arguments.anchor, message);
            return None;
        }
        (flawless && window.is_in_range(errors)).then_some(window)
    }

    /// Returns the window from the positional string.
    pub(crate) fn from_rate(rate: &Rate, text: &LitStr, errors: &mut Errors) -> Option<Self> {
        let window = Self {
            literal_micros: rate.window_micros,
            computed: Vec::new(),
            tokens: text.to_token_stream(),
        };
        window.is_in_range(errors).then_some(window)
    }

    /// Returns the length in microseconds, unless the compiler must evaluate an expression first.
    pub(crate) fn known_micros(&self) -> Option<u64> {
        self.computed.is_empty().then_some(self.literal_micros)
    }

    fn add(&mut self, number: Number, unit: u64) {
        let tokens = &self.tokens;
        self.tokens = quote!(#tokens #number);
        match number {
            Number::Known { value, .. } => {
                let micros = value.saturating_mul(unit);
                self.literal_micros = self.literal_micros.saturating_add(micros);
            }
            Number::Const(expr) => self.computed.push((unit, *expr)),
        }
    }

    fn is_in_range(&self, errors: &mut Errors) -> bool {
        let in_range = self
            .known_micros()
            .is_none_or(|micros| (SHORTEST..=LONGEST).contains(&micros));
        if !in_range {
            errors.at(
                &self.tokens,
                "a window is 1 millisecond to 366 days long: write a length in that range",
            );
        }
        in_range
    }
}
