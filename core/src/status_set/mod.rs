//! The public type [`StatusSet`] and the parser of its text. Rules, the macro and configurations
//! use it to decide which responses get a refund.

use std::{borrow::Cow, fmt, str::FromStr};

/// The first and last status: three digits, of which the first is the class.
const FIRST: u16 = 100;
const LAST: u16 = 599;

/// A set of HTTP statuses, for `Rule::refund_on`.
///
/// Its text lists single statuses, classes (`5xx`) and ranges (`500-504`, both ends included),
/// separated by commas. Statuses are from 100 to 599.
///
/// ```
/// use actix_throttle::StatusSet;
/// use actix_web::http::StatusCode;
///
/// let statuses: StatusSet = "5xx, 404".parse()?;
/// assert!(statuses.contains(StatusCode::BAD_GATEWAY));
/// assert!(statuses.contains(StatusCode::NOT_FOUND));
/// assert!(!statuses.contains(StatusCode::OK));
///
/// let mistake = "5x".parse::<StatusSet>().unwrap_err();
/// assert_eq!(
///     mistake.to_string(),
///     "`5x` is no status; did you mean `5xx`? Write them as `404`, `5xx` or `500-504`, \
///      separated by commas"
/// );
/// # Ok::<(), actix_throttle::StatusSetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatusSet(Cow<'static, [(u16, u16)]>);

impl StatusSet {
    /// Creates a set of ranges, first and last status, that were validated before. For macro
    /// output.
    #[doc(hidden)]
    #[must_use]
    pub const fn ranges(ranges: &'static [(u16, u16)]) -> Self {
        Self(Cow::Borrowed(ranges))
    }

    /// Returns whether this status is in the set.
    #[must_use]
    pub fn contains(&self, status: impl Into<u16>) -> bool {
        let status = status.into();
        let mut ranges = self.0.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&status))
    }
}

impl FromStr for StatusSet {
    type Err = StatusSetError;

    /// # Errors
    ///
    /// If the text is empty, or a part of it is not a status, class or range. The error names the
    /// first such part, and suggests what was probably meant.
    fn from_str(text: &str) -> Result<Self, StatusSetError> {
        if text.trim().is_empty() {
            return Err(StatusSetError::new(Mistake::Nothing, text));
        }
        let ranges = text.split(',').map(|part| range(part.trim()));
        Ok(Self(ranges.collect::<Result<_, _>>()?))
    }
}

/// Writes the set as a text that parses back to an equal set.
impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            match (first % 100, last - first) {
                (_, 0) => write!(f, "{first}")?,
                (0, 99) => write!(f, "{}xx", first / 100)?,
                _ => write!(f, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// The error of a text that is not a [`StatusSet`], with what to write instead.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusSetError {
    mistake: Mistake,
    part: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mistake {
    Nothing,
    /// An extra comma.
    Gap,
    NoStatus,
    OutOfRange,
    Reversed,
}

impl StatusSetError {
    fn new(mistake: Mistake, part: &str) -> Self {
        Self {
            mistake,
            part: part.to_owned(),
        }
    }
}

crate::debug_is_message!(StatusSetError);

impl fmt::Display for StatusSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHAPES: &str = "`404`, `5xx` or `500-504`, separated by commas";
        let part = self.part.escape_debug();
        match self.mistake {
            Mistake::Nothing => write!(f, "no status is given; write them as {SHAPES}"),
            Mistake::Gap => write!(f, "nothing stands between two commas; remove one of them"),
            Mistake::NoStatus => {
                write!(f, "`{part}` is no status; ")?;
                match nearest(&self.part) {
                    Some(nearest) => write!(f, "did you mean `{nearest}`? Write them as {SHAPES}"),
                    None => write!(f, "write them as {SHAPES}"),
                }
            }
            Mistake::OutOfRange => {
                write!(f, "`{part}` is no status: they go from {FIRST} to {LAST}")
            }
            Mistake::Reversed => {
                write!(
                    f,
                    "`{part}` begins above its end; write the smaller status first"
                )
            }
        }
    }
}

impl std::error::Error for StatusSetError {}

/// Parses one status, class or range into its first and last status.
fn range(part: &str) -> Result<(u16, u16), StatusSetError> {
    let mistake = |mistake| Err(StatusSetError::new(mistake, part));
    if part.is_empty() {
        return mistake(Mistake::Gap);
    }
    let ends = match part.split_once('-') {
        Some((first, last)) => (number(first.trim_end()), number(last.trim_start())),
        None => match class(part) {
            Some(class) => (Some(class * 100), Some(class * 100 + 99)),
            None => (number(part), number(part)),
        },
    };
    let (Some(first), Some(last)) = ends else {
        return mistake(Mistake::NoStatus);
    };
    if first < FIRST || last > LAST || first > LAST || last < FIRST {
        return mistake(Mistake::OutOfRange);
    }
    if first > last {
        return mistake(Mistake::Reversed);
    }
    Ok((first, last))
}

/// Parses a class: returns the digit of `5xx`.
fn class(part: &str) -> Option<u16> {
    let digit = part
        .strip_suffix("xx")
        .or_else(|| part.strip_suffix("XX"))?;
    match digit.as_bytes() {
        [digit @ b'0'..=b'9'] => Some(u16::from(digit - b'0')),
        _ => None,
    }
}

/// Parses exactly three digits: no sign, no blanks.
fn number(text: &str) -> Option<u16> {
    let is_number = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// Suggests what was probably meant.
fn nearest(part: &str) -> Option<String> {
    several(part).or_else(|| one(part))
}

/// Suggests commas for several statuses that are separated by something else.
fn several(part: &str) -> Option<String> {
    let parts = part.split([' ', ';', '|', '/', '+', '\t']);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let all = parts.len() > 1 && parts.iter().all(|part| range(part).is_ok());
    all.then(|| parts.join(", "))
}

fn one(part: &str) -> Option<String> {
    let span = part.replace("..=", "-").replace("..", "-");
    let span = span.replace('\u{2013}', "-");
    if span.contains('-') {
        return range(&span).is_ok().then_some(span);
    }
    let digits: String = part.chars().filter(char::is_ascii_digit).collect();
    let kind = digits.get(..1).filter(|kind| ("1"..="5").contains(kind))?;
    match digits.len() {
        // For example `5`, `5x` or `5**`.
        1 => Some(format!("{kind}xx")),
        // For example `500s`.
        3 if digits.ends_with("00") && part.ends_with('s') => Some(format!("{kind}xx")),
        // For example `HTTP 404` or `404.`.
        3 => Some(digits),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(statuses: &StatusSet, status: u16) -> bool {
        statuses.contains(status)
    }

    #[test]
    fn statuses_classes_and_ranges_are_what_they_say() {
        for (text, first, last) in [
            ("404", 404, 404),
            (" 404 ", 404, 404),
            ("5xx", 500, 599),
            ("1XX", 100, 199),
            ("500-504", 500, 504),
            ("100 - 599", 100, 599),
            ("404-404", 404, 404),
        ] {
            let statuses: StatusSet = text.parse().expect(text);
            for status in 100..1000 {
                let expected = (first..=last).contains(&status);
                assert_eq!(holds(&statuses, status), expected, "{text} {status}");
            }
        }
        let several: StatusSet = "2xx, 3xx,404 ,500-502".parse().expect("several");
        for (status, expected) in [
            (204, true),
            (399, true),
            (403, false),
            (404, true),
            (503, false),
        ] {
            assert_eq!(holds(&several, status), expected, "{status}");
        }
    }

    #[test]
    fn text_of_statuses_is_parsed_to_the_same() {
        for (text, expected) in [
            ("5xx,404", "5xx, 404"),
            ("500-599", "5xx"),
            ("500-504 , 500", "500-504, 500"),
        ] {
            let statuses: StatusSet = text.parse().expect(text);
            assert_eq!(statuses.to_string(), expected);
            assert_eq!(expected.parse(), Ok(statuses));
        }
        assert_eq!(
            StatusSet::ranges(&[(500, 599), (404, 404)]).to_string(),
            "5xx, 404"
        );
    }

    #[test]
    fn mistakes_are_told_with_what_was_meant() {
        for (text, told) in [
            ("", "no status is given"),
            ("  ", "no status is given"),
            ("404,", "nothing stands between two commas"),
            (",404", "nothing stands between two commas"),
            ("5xx,,404", "nothing stands between two commas"),
            ("5x", "did you mean `5xx`?"),
            ("5", "did you mean `5xx`?"),
            ("5**", "did you mean `5xx`?"),
            ("5xX", "did you mean `5xx`?"),
            ("500s", "did you mean `5xx`?"),
            ("HTTP 404", "did you mean `404`?"),
            ("404.", "did you mean `404`?"),
            ("+404", "did you mean `404`?"),
            ("500..504", "did you mean `500-504`?"),
            ("500..=504", "did you mean `500-504`?"),
            ("500\u{2013}504", "did you mean `500-504`?"),
            (
                "4xx 5xx",
                "`4xx 5xx` is no status; did you mean `4xx, 5xx`?",
            ),
            ("404 500", "did you mean `404, 500`?"),
            ("404; 5xx", "did you mean `404, 5xx`?"),
            ("5xx|404", "did you mean `5xx, 404`?"),
            ("errors", "`errors` is no status; write"),
            ("5xx-404", "is no status"),
            ("\u{665}xx", "is no status"),
            ("6xx", "they go from 100 to 599"),
            ("0xx", "they go from 100 to 599"),
            ("099", "they go from 100 to 599"),
            ("600", "they go from 100 to 599"),
            ("500-999", "they go from 100 to 599"),
            ("504-500", "begins above its end"),
            ("4040", "is no status"),
            ("\n4\u{0}", "`4\\0` is no status"),
        ] {
            let error = text.parse::<StatusSet>().expect_err(text).to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
