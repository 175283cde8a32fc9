//! `refund_on = "5xx, 404"`: the responses that are refunded.

use std::ops::RangeInclusive;

use syn::{Expr, Lit, LitStr};

use super::value::{assigned, literal, text};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// Valid status codes (RFC 9110, section 15).
const ALL: RangeInclusive<u16> = 100..=599;

const SHAPES: &str = "write `404`, `5xx` or `500-504`, separated by commas";

/// The given statuses, all valid.
pub(crate) struct StatusSet(Vec<Part>);

/// One element of the comma-separated list.
struct Part {
    word: String,
    statuses: RangeInclusive<u16>,
}

impl StatusSet {
    /// Parses the argument; `None` if it is absent, or invalid and therefore reported.
    pub(crate) fn check(arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        let argument = arguments.named(ArgName::RefundOn)?;
        let expr = assigned(ArgName::RefundOn, argument, errors)?;
        let list = errors.ok(quoted(expr))?;
        let mut parts: Vec<Part> = Vec::new();
        let mut flaws = Vec::new();
        for word in list.value().split(',') {
            let part = Part::parse(word.trim()).and_then(|part| part.beside(&parts));
            match part {
                Ok(part) => parts.push(part),
                // Repeated commas give the same error; report it once.
                Err(flaw) if flaws.contains(&flaw) => {}
                Err(flaw) => {
                    errors.at(&list, &flaw);
                    flaws.push(flaw);
                }
            }
        }
        flaws.is_empty().then_some(Self(parts))
    }

    /// Returns the first and the last status of each part.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (u16, u16)> + '_ {
        let parts = self.0.iter().map(|part| &part.statuses);
        parts.map(|statuses| (*statuses.start(), *statuses.end()))
    }
}

/// Returns the string. A bare number is reported with the quotes added.
fn quoted(expr: &Expr) -> syn::Result<LitStr> {
    let Some(Lit::Int(status)) = literal(expr) else {
        return text(ArgName::RefundOn, expr);
    };
    let message = format!("`refund_on` takes a string literal: write `refund_on = \"{status}\"`");
    Err(syn::Error::new_spanned(status, message))
}

impl Part {
    fn parse(word: &str) -> Result<Self, String> {
        if word.is_empty() {
            return Err(
                "a comma has nothing beside it: write a status there, or remove it".to_owned(),
            );
        }
        let Some((first, last)) = ends(word) else {
            let meant = match meant(word) {
                Some(meant) => format!(", did you mean `{meant}`? Or"),
                None => ":".to_owned(),
            };
            let word = word.escape_debug();
            return Err(format!("`{word}` is no status{meant} {SHAPES}"));
        };
        if !ALL.contains(&first) || !ALL.contains(&last) {
            return Err(format!(
                "`{word}` is no status, they go from 100 to 599: {SHAPES}"
            ));
        }
        if first > last {
            return Err(format!(
                "`{word}` begins above its end: write `{last}-{first}`"
            ));
        }
        Ok(Self {
            word: word.to_owned(),
            statuses: first..=last,
        })
    }

    /// Returns the part, or an error if it overlaps an earlier one.
    fn beside(self, earlier: &[Self]) -> Result<Self, String> {
        let Some(other) = earlier.iter().find(|other| overlap(other, &self)) else {
            return Ok(self);
        };
        let (this, that) = (&self.word, &other.word);
        Err(if self.statuses == other.statuses {
            format!("`{this}` is given twice: remove one of them")
        } else if contains(other, &self) {
            format!("`{that}` has `{this}` in it: remove `{this}`")
        } else if contains(&self, other) {
            format!("`{this}` has `{that}` in it: remove `{that}`")
        } else {
            format!("`{that}` and `{this}` have statuses in common: write one of them shorter")
        })
    }
}

/// Returns the first and the last status if the word has a valid form, in range or not.
fn ends(word: &str) -> Option<(u16, u16)> {
    if let Some((first, last)) = word.split_once('-') {
        return Some((number(first.trim_end())?, number(last.trim_start())?));
    }
    match word.as_bytes() {
        [digit @ b'0'..=b'9', b'x', b'x'] | [digit @ b'0'..=b'9', b'X', b'X'] => {
            let first = u16::from(digit - b'0') * 100;
            Some((first, first + 99))
        }
        _ => number(word).map(|status| (status, status)),
    }
}

fn number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large for the type is out of range as well.
    digits.then(|| text.parse().unwrap_or(u16::MAX))
}

/// Guesses the meaning of an invalid word.
fn meant(word: &str) -> Option<String> {
    let range = word
        .replace("..=", "-")
        .replace("..", "-")
        .replace('\u{2013}', "-");
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let meant = match digits.len() {
        // `5x` or `5**`.
        1 => format!("{digits}xx"),
        // `500s`.
        3 if word.ends_with("00s") => format!("{}xx", &digits[..1]),
        // `HTTP 404`.
        3 => digits,
        _ => range,
    };
    let (first, last) = ends(&meant)?;
    let valid = ALL.contains(&first) && ALL.contains(&last) && first <= last;
    valid.then_some(meant)
}

fn overlap(one: &Part, other: &Part) -> bool {
    one.statuses.start() <= other.statuses.end() && other.statuses.start() <= one.statuses.end()
}

fn contains(outer: &Part, inner: &Part) -> bool {
    outer.statuses.contains(inner.statuses.start()) && outer.statuses.contains(inner.statuses.end())
}
