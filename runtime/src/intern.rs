//! Text of run time that lives as long as the process.

use std::collections::HashSet;

use once_cell::sync::Lazy;
use parking_lot::Mutex;

static KNOWN: Lazy<Mutex<HashSet<&'static str>>> = Lazy::new(Mutex::default);

/// The same text for ever, each text kept once.
///
/// A [`Limit`](crate::Limit) is `Copy` and names its zone by a `&'static str`; those that stand in a
/// configuration, or come from a regex, are not known at compile time. What is interned is never
/// freed: only names that the application or its configuration writes may go here, never what comes
/// with a request.
pub(crate) fn intern(text: &str) -> &'static str {
    let mut known = KNOWN.lock();
    if let Some(same) = known.get(text) {
        return same;
    }
    let kept: &'static str = Box::leak(text.into());
    known.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_kept_once() {
        let (one, other) = (intern("towns"), intern(&format!("tow{}", "ns")));
        assert!(std::ptr::eq(one, other));
        assert_ne!(intern("forests"), one);
    }
}
