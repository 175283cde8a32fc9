//! The units of time of a window.

use super::{
    suggest::{hint, nearest},
    word::Word,
};

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// 1,000 microseconds.
    Milliseconds,
    /// 1,000 milliseconds.
    Seconds,
    /// 60 seconds.
    Minutes,
    /// 60 minutes.
    Hours,
    /// 24 hours.
    Days,
}

impl TimeUnit {
    /// Returns the length of the unit in microseconds.
    pub const fn micros(self) -> u64 {
        match self {
            Self::Milliseconds => 1_000,
            Self::Seconds => 1_000_000,
            Self::Minutes => 60_000_000,
            Self::Hours => 3_600_000_000,
            Self::Days => 86_400_000_000,
        }
    }

    /// Returns the names that a rate string may use.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Milliseconds => &["milliseconds", "millisecond", "ms"],
            Self::Seconds => &["seconds", "second", "secs", "sec", "s"],
            Self::Minutes => &["minutes", "minute", "mins", "min", "m"],
            Self::Hours => &["hours", "hour", "h"],
            Self::Days => &["days", "day", "d"],
        }
    }

    /// Parses any name of a unit, in any case.
    ///
    /// # Errors
    ///
    /// If there is no such unit: the nearest name and the valid units.
    pub fn parse(word: &str) -> Result<Self, String> {
        let lower = word.to_ascii_lowercase();
        let mut units = Self::ALL.iter().copied();
        units
            .find(|unit| unit.names().contains(&lower.as_str()))
            .ok_or_else(|| {
                let names = Self::ALL.iter().flat_map(|unit| unit.names()).copied();
                let valid: Vec<_> = Self::ALL.iter().map(|unit| unit.as_str()).collect();
                let hint = hint(nearest(word, names), &valid);
                format!("unknown unit of time `{word}`{hint}")
            })
    }
}

impl Word for TimeUnit {
    const ALL: &'static [Self] = &[
        Self::Milliseconds,
        Self::Seconds,
        Self::Minutes,
        Self::Hours,
        Self::Days,
    ];

    fn as_str(self) -> &'static str {
        self.names()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_unit_that_was_meant() {
        assert_eq!(TimeUnit::parse("Mins"), Ok(TimeUnit::Minutes));
        for (word, message) in [
            ("fortnight", "`fortnight`: valid are `milliseconds`, "),
            ("minuet", "`minuet`, did you mean `minute`? Valid are"),
        ] {
            let error = TimeUnit::parse(word).expect_err(word);
            assert!(error.contains(message), "{word}: {error}");
        }
    }
}
