//! One part of a list of statuses: how it is parsed, and what can be wrong with it.

use std::{fmt, ops::RangeInclusive};

/// The valid statuses (RFC 9110, section 15): three digits, of which the first is the class.
const ALL: RangeInclusive<u16> = 100..=599;

/// A status, class or range, between two commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    word: &'a str,
    /// The first and the last status.
    pub(super) statuses: (u16, u16),
}

/// An error in a list of statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The list is empty.
    Empty,
    /// Nothing stands before or after a comma.
    ExtraComma,
    NotAStatus(String),
    OutOfRange(String),
    /// The end is below the start.
    Reversed(String, String),
    Twice(String),
    /// The first has the second in it.
    Covered(String, String),
    Overlap(String, String),
}

impl<'a> Part<'a> {
    /// Parses a status, class or range.
    pub(super) fn parse(word: &'a str) -> Result<Self, Problem> {
        if word.is_empty() {
            return Err(Problem::ExtraComma);
        }
        let Some((first, last)) = ends(word) else {
            return Err(Problem::NotAStatus(word.to_owned()));
        };
        if !ALL.contains(&first) || !ALL.contains(&last) {
            return Err(Problem::OutOfRange(word.to_owned()));
        }
        if first > last {
            return Err(Problem::Reversed(
                word.to_owned(),
                format!("{last}-{first}"),
            ));
        }
        Ok(Self {
            word,
            statuses: (first, last),
        })
    }

    /// Returns the part, unless an earlier one has statuses of it.
    pub(super) fn beside(self, earlier: &[Self]) -> Result<Self, Problem> {
        let (first, last) = self.statuses;
        let overlap = |other: &&Self| other.statuses.0 <= last && first <= other.statuses.1;
        let Some(other) = earlier.iter().find(overlap) else {
            return Ok(self);
        };
        let [this, that] = [self.word, other.word].map(str::to_owned);
        let (other_first, other_last) = other.statuses;
        Err(if self.statuses == other.statuses {
            Problem::Twice(this)
        } else if other_first <= first && last <= other_last {
            Problem::Covered(that, this)
        } else if first <= other_first && other_last <= last {
            Problem::Covered(this, that)
        } else {
            Problem::Overlap(that, this)
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHAPES: &str = "write `404`, `5xx` or `500-504`, separated by commas";
        match self {
            Self::Empty => write!(f, "no status is given: {SHAPES}"),
            Self::ExtraComma => {
                f.write_str("a comma has nothing beside it: write a status there, or remove it")
            }
            Self::NotAStatus(word) => {
                write!(f, "`{}` is not a status", word.escape_debug())?;
                match nearest(word) {
                    Some(nearest) => write!(f, ", did you mean `{nearest}`? Or {SHAPES}"),
                    None => write!(f, ": {SHAPES}"),
                }
            }
            Self::OutOfRange(word) => {
                let (first, last) = (ALL.start(), ALL.end());
                write!(
                    f,
                    "`{word}` is out of range, statuses go from {first} to {last}: {SHAPES}"
                )
            }
            Self::Reversed(word, instead) => {
                write!(f, "`{word}` begins above its end: write `{instead}`")
            }
            Self::Twice(word) => write!(f, "`{word}` is given twice: remove one of them"),
            Self::Covered(outer, inner) => {
                write!(f, "`{outer}` has `{inner}` in it: remove `{inner}`")
            }
            Self::Overlap(one, other) => {
                write!(
                    f,
                    "`{one}` and `{other}` have statuses in common: write one of them shorter"
                )
            }
        }
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

/// Parses digits alone: no sign, no blanks. A status has three of them, and a single digit is
/// more likely meant for a class.
fn number(text: &str) -> Option<u16> {
    if text.len() < 2 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A number too large for the type is out of range as well.
    let number = text.parse().unwrap_or(u16::MAX);
    (text.len() == 3 || !ALL.contains(&number)).then_some(number)
}

/// Suggests what was probably meant.
fn nearest(word: &str) -> Option<String> {
    several(word).or_else(|| one(word))
}

/// Suggests commas for several statuses that are separated by something else.
fn several(word: &str) -> Option<String> {
    let words = word.split([' ', ';', '|', '/', '+', '\t']);
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let all = words.len() > 1 && words.iter().all(|word| Part::parse(word).is_ok());
    all.then(|| words.join(", "))
}

fn one(word: &str) -> Option<String> {
    let range = word
        .replace("..=", "-")
        .replace("..", "-")
        .replace('\u{2013}', "-");
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let meant = match digits.len() {
        // The word is one such as `5`, `5x` or `5**`.
        1 => format!("{digits}xx"),
        // The word is one such as `500s`.
        3 if word.ends_with("00s") => format!("{}xx", &digits[..1]),
        // The word is one such as `HTTP 404` or `404.`.
        3 => digits,
        _ => range,
    };
    Part::parse(&meant).is_ok().then_some(meant)
}

#[cfg(test)]
mod tests {
    use crate::status_set::StatusSet;

    #[test]
    fn errors_say_what_was_meant() {
        for (text, told) in [
            ("", "no status is given: write `404`, `5xx` or `500-504`"),
            ("  ", "no status is given"),
            (
                "404,",
                "a comma has nothing beside it: write a status there, or remove it",
            ),
            (",404", "a comma has nothing beside it"),
            ("5xx,,404", "a comma has nothing beside it"),
            (
                "5x",
                "`5x` is not a status, did you mean `5xx`? Or write `404`, ",
            ),
            ("5", "`5` is not a status, did you mean `5xx`?"),
            ("5**", "did you mean `5xx`?"),
            ("5xX", "did you mean `5xx`?"),
            ("500s", "did you mean `5xx`?"),
            ("HTTP 404", "did you mean `404`?"),
            ("404.", "did you mean `404`?"),
            ("+404", "did you mean `404`?"),
            ("-404", "did you mean `404`?"),
            ("500..504", "did you mean `500-504`?"),
            ("500..=504", "did you mean `500-504`?"),
            ("500..600", "`500..600` is not a status: write"),
            ("500\u{2013}504", "did you mean `500-504`?"),
            (
                "4xx 5xx",
                "`4xx 5xx` is not a status, did you mean `4xx, 5xx`?",
            ),
            ("404 500", "did you mean `404, 500`?"),
            ("404; 5xx", "did you mean `404, 5xx`?"),
            ("404;500\n", "did you mean `404, 500`?"),
            ("5xx|404", "did you mean `5xx, 404`?"),
            (
                "errors",
                "`errors` is not a status: write `404`, `5xx` or `500-504`, separated by commas",
            ),
            ("7x", "`7x` is not a status: write"),
            ("5xx-404", "is not a status"),
            ("\u{665}xx", "is not a status"),
            ("\u{ff15}xx", "`\u{ff15}xx` is not a status: write"),
            ("0404", "is not a status"),
            ("\n4\u{0}", "`4\\0` is not a status"),
            (
                "6xx",
                "`6xx` is out of range, statuses go from 100 to 599: write",
            ),
            ("0xx", "statuses go from 100 to 599"),
            ("099", "statuses go from 100 to 599"),
            ("99", "statuses go from 100 to 599"),
            ("600", "statuses go from 100 to 599"),
            ("4040", "statuses go from 100 to 599"),
            ("99999999", "statuses go from 100 to 599"),
            ("500-999", "statuses go from 100 to 599"),
            ("99-404", "statuses go from 100 to 599"),
            ("504-500", "`504-500` begins above its end: write `500-504`"),
            ("404, 404", "`404` is given twice: remove one of them"),
            ("5xx,5XX", "`5XX` is given twice: remove one of them"),
            ("5xx, 503", "`5xx` has `503` in it: remove `503`"),
            ("503, 5xx", "`5xx` has `503` in it: remove `503`"),
            (
                "400-410, 405-420",
                "`400-410` and `405-420` have statuses in common: write one of them shorter",
            ),
        ] {
            let error = text.parse::<StatusSet>().expect_err(text).to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn every_problem_is_reported() {
        let error = "6xx,, 404, x,, 404".parse::<StatusSet>();
        let error = error.expect_err("four problems").to_string();
        let problems: Vec<_> = error.split("; ").collect();
        let starts = [
            "`6xx` is out of range",
            "a comma has nothing beside it",
            "`x` is not a status",
            "`404` is given twice",
        ];
        assert_eq!(problems.len(), starts.len(), "{error}");
        for (problem, start) in problems.iter().zip(starts) {
            assert!(problem.starts_with(start), "{problem}");
        }
    }
}
