//! `Debug` of the crate's errors by their message, because `main` prints a returned error by
//! `Debug`.

/// Implements `Debug` by `Display`. A `main` that returns the error in a `Box<dyn Error>` prints
/// its `Debug`, and its reader wants to know what to do.
#[doc(hidden)]
#[macro_export]
macro_rules! debug_is_message {
    ($($error:ty),+) => {
        $(impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        })+
    };
}
