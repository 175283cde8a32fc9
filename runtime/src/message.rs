//! `Debug` of errors, as a `main` shows it that returns them.

/// Shows an error by its message, also where it is shown by `Debug`: so does a `main` that returns
/// it in a `Box<dyn Error>`, and who reads that wants to know what to do.
macro_rules! debug_is_message {
    ($($error:ty),+) => {
        $(impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        })+
    };
}

pub(crate) use debug_is_message;
