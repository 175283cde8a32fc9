//! The checks of a limit's numbers, when it is used or at compile time. The public types call the
//! ranges from here, so that the types themselves know nothing of them.

use super::{Concurrency, Limit, LimitError, range};

impl Limit {
    /// Checks that the numbers are in range and make sense together.
    ///
    /// # Errors
    ///
    /// The first invalid setting, with what to write instead.
    pub const fn validate(&self) -> Result<(), LimitError> {
        range::validate(self)
    }

    /// Returns the limit if it is valid; in a constant, an invalid limit fails the build.
    ///
    /// ```compile_fail
    /// use actix_throttle::Limit;
    /// const NOTHING: Limit = Limit::per_second(0).expect_valid();
    /// println!("{NOTHING:?}");
    /// ```
    ///
    /// # Panics
    ///
    /// If [`validate`](Self::validate) is an error, or one request costs more than the limit can
    /// ever hold. Meant for constants, where that is a compile error; otherwise call `validate`.
    #[allow(clippy::panic, reason = "in a constant this is the compile error")]
    #[track_caller]
    pub const fn expect_valid(self) -> Self {
        if let Err(error) = self.validate() {
            panic!("{}", error.message());
        }
        if self.default_cost() > self.quota() {
            panic!("`cost` is more than this limit can ever hold; lower it or raise the limit");
        }
        self
    }
}

impl Concurrency {
    /// Checks that the numbers are in range.
    ///
    /// # Errors
    ///
    /// The first invalid setting, with what to write instead.
    pub const fn validate(&self) -> Result<(), LimitError> {
        range::validate_concurrency(self)
    }

    /// Returns the limit if it is valid; in a constant, an invalid limit fails the build.
    ///
    /// ```compile_fail
    /// use actix_throttle::Concurrency;
    /// const NOBODY: Concurrency = Concurrency::new(0).expect_valid();
    /// println!("{NOBODY:?}");
    /// ```
    ///
    /// # Panics
    ///
    /// If [`validate`](Self::validate) is an error. Meant for constants, where that is a compile
    /// error; otherwise call `validate`.
    #[allow(clippy::panic, reason = "in a constant this is the compile error")]
    #[track_caller]
    pub const fn expect_valid(self) -> Self {
        if let Err(error) = self.validate() {
            panic!("{}", error.message());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_edges_of_the_ranges() {
        let fine = |limit: Concurrency| limit.validate().is_ok();
        assert!(fine(Concurrency::new(1)) && fine(Concurrency::new(1_000_000)));
        assert!(!fine(Concurrency::new(0)) && !fine(Concurrency::new(1_000_001)));
        for (millis, expected) in [
            (99, false),
            (100, true),
            (86_400_000, true),
            (86_400_001, false),
        ] {
            let limit = Concurrency::new(1).expiry(Duration::from_millis(millis));
            assert_eq!(fine(limit), expected, "{millis} ms");
        }
        assert!(!fine(Concurrency::new(1).name("")) && !fine(Concurrency::new(1).name("ä")));
        assert!(!fine(Concurrency::new(1).zone("")));
        let error = Concurrency::new(0).validate().unwrap_err();
        assert_eq!(error.to_string(), "`max` must be from 1 to 1,000,000");
    }
}
