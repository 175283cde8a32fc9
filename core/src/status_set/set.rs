//! The public type [`StatusSet`].

use std::{borrow::Cow, fmt, str::FromStr};

use super::part::{Part, Problem};

/// A set of HTTP statuses, for `Rule::refund_on`.
///
/// Its text lists single statuses, classes (`5xx`) and ranges (`500-504`, both ends included),
/// separated by commas. Statuses are from 100 to 599, and none is given twice.
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
/// let error = "5x".parse::<StatusSet>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`5x` is not a status, did you mean `5xx`? Or write `404`, `5xx` or `500-504`, \
///      separated by commas"
/// );
/// # Ok::<(), actix_throttle::StatusSetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatusSet(Cow<'static, [(u16, u16)]>);

impl StatusSet {
    /// Creates a set of ranges, first and last status, that were validated before. Macro output
    /// calls it.
    #[doc(hidden)]
    #[must_use]
    pub const fn ranges(ranges: &'static [(u16, u16)]) -> Self {
        Self(Cow::Borrowed(ranges))
    }

    /// Returns the first and the last status of each part.
    #[doc(hidden)]
    #[must_use]
    pub fn as_ranges(&self) -> &[(u16, u16)] {
        &self.0
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
    /// If the text is empty, a part of it is not a status, class or range, or two parts have
    /// statuses in common. The error names all such parts, and says what to write instead.
    fn from_str(text: &str) -> Result<Self, StatusSetError> {
        if text.trim().is_empty() {
            return Err(StatusSetError(vec![Problem::Empty]));
        }
        let mut parts: Vec<Part<'_>> = Vec::new();
        let mut problems = Vec::new();
        for word in text.split(',') {
            match Part::parse(word.trim()).and_then(|part| part.beside(&parts)) {
                Ok(part) => parts.push(part),
                // Several extra commas are one problem.
                Err(problem) if problems.contains(&problem) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(StatusSetError(problems));
        }
        Ok(Self(parts.iter().map(|part| part.statuses).collect()))
    }
}

/// Writes the set as a text that parses back to an equal set.
impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            if index > 0 {
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

/// The error of a text that is not a [`StatusSet`]: everything that is wrong with it, and what to
/// write instead.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusSetError(Vec<Problem>);

impl StatusSetError {
    /// Returns everything that is wrong, one message each.
    #[doc(hidden)]
    pub fn problems(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(Problem::to_string)
    }
}

crate::debug_is_message!(StatusSetError);

impl fmt::Display for StatusSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for StatusSetError {}

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
            ("500-504 , 404", "500-504, 404"),
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
}
