use std::{borrow::Cow, fmt, str::FromStr};

use actix_web::http::StatusCode;

/// What a status can be: three digits, of which the first says what kind it is.
const FIRST: u16 = 100;
const LAST: u16 = 599;

/// A set of HTTP statuses, for [`Rule::refund_on`](crate::Rule::refund_on).
///
/// As text: single statuses, classes (`5xx`) and ranges (`500-504`, both ends in it), separated by
/// commas. From 100 to 599.
///
/// ```
/// use actix_throttle::Statuses;
/// use actix_web::http::StatusCode;
///
/// let statuses: Statuses = "5xx, 404".parse()?;
/// assert!(statuses.contains(StatusCode::BAD_GATEWAY));
/// assert!(statuses.contains(StatusCode::NOT_FOUND));
/// assert!(!statuses.contains(StatusCode::OK));
///
/// let mistake = "5x".parse::<Statuses>().unwrap_err();
/// assert_eq!(
///     mistake.to_string(),
///     "`5x` is no status; did you mean `5xx`? Write statuses as `404`, `5xx` or `500-504`, \
///      separated by commas"
/// );
/// # Ok::<(), actix_throttle::StatusesError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Statuses(Cow<'static, [(u16, u16)]>);

impl Statuses {
    /// Ranges, first and last, that somebody has checked. For macro output.
    #[doc(hidden)]
    #[must_use]
    pub const fn ranges(ranges: &'static [(u16, u16)]) -> Self {
        Self(Cow::Borrowed(ranges))
    }

    /// Whether this status is one of them.
    #[must_use]
    pub fn contains(&self, status: StatusCode) -> bool {
        let status = status.as_u16();
        let mut ranges = self.0.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&status))
    }
}

impl FromStr for Statuses {
    type Err = StatusesError;

    /// # Errors
    ///
    /// If the text is empty, or the first part of it that is no status, class or range, with what
    /// was probably meant.
    fn from_str(text: &str) -> Result<Self, StatusesError> {
        if text.trim().is_empty() {
            return Err(StatusesError::new(Mistake::Nothing, text));
        }
        let ranges = text.split(',').map(|part| range(part.trim()));
        Ok(Self(ranges.collect::<Result<_, _>>()?))
    }
}

/// As it can be parsed again.
impl fmt::Display for Statuses {
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

/// Why a text is no [`Statuses`], and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusesError {
    mistake: Mistake,
    part: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mistake {
    Nothing,
    /// A comma too many.
    Gap,
    NoStatus,
    OutOfRange,
    Reversed,
}

impl StatusesError {
    fn new(mistake: Mistake, part: &str) -> Self {
        Self {
            mistake,
            part: part.to_owned(),
        }
    }
}

impl fmt::Display for StatusesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHAPES: &str = "`404`, `5xx` or `500-504`, separated by commas";
        let part = self.part.escape_debug();
        match self.mistake {
            Mistake::Nothing => write!(f, "no status is given; write them as {SHAPES}"),
            Mistake::Gap => write!(f, "nothing stands between two commas; remove one of them"),
            Mistake::NoStatus => {
                write!(f, "`{part}` is no status; ")?;
                if let Some(nearest) = nearest(&self.part) {
                    write!(f, "did you mean `{nearest}`? ")?;
                }
                write!(f, "Write statuses as {SHAPES}")
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

impl std::error::Error for StatusesError {}

/// One status, class or range, as its first and last status.
fn range(part: &str) -> Result<(u16, u16), StatusesError> {
    let mistake = |mistake| Err(StatusesError::new(mistake, part));
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

/// The digit of `5xx`.
fn class(part: &str) -> Option<u16> {
    let digit = part
        .strip_suffix("xx")
        .or_else(|| part.strip_suffix("XX"))?;
    match digit.as_bytes() {
        [digit @ b'0'..=b'9'] => Some(u16::from(digit - b'0')),
        _ => None,
    }
}

/// Three digits and nothing else: no sign, no spaces.
fn number(text: &str) -> Option<u16> {
    let is_number = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// What was probably meant.
fn nearest(part: &str) -> Option<String> {
    let mut digits = part.chars().filter(char::is_ascii_digit);
    let is_kind = |digit: &char| ('1'..='5').contains(digit);
    match (digits.next().filter(is_kind), digits.next(), digits.next()) {
        // `5x`, `5**`, `5XX+`, `500s` is none.
        (Some(class), None, None) => Some(format!("{class}xx")),
        (Some(class), Some('0'), Some('0')) if part.len() == 4 && part.ends_with('s') => {
            Some(format!("{class}xx"))
        }
        // `404.`, `HTTP 404`.
        (Some(one), Some(two), Some(three)) if digits.next().is_none() => {
            Some(format!("{one}{two}{three}"))
        }
        _ => {
            let part = part
                .replace("..=", "-")
                .replace("..", "-")
                .replace('\u{2013}', "-");
            part.contains('-').then_some(())?;
            range(&part).is_ok().then_some(part)
        }
    }
}
