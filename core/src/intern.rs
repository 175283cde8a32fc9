//! Interning of strings, and of lengths of time, that are made at run time. Configurations and
//! default zones need them for all time; nothing that comes with a request is ever interned.

use std::{collections::HashSet, sync::LazyLock, time::Duration};

use parking_lot::Mutex;

static INTERNED: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
static LENGTHS: LazyLock<Mutex<HashSet<&'static [Duration]>>> = LazyLock::new(Mutex::default);

/// Returns a static copy of `text`; equal texts share one copy.
///
/// A [`Limit`](crate::limit::Limit) is `Copy` and names its zone by a `&'static str`, while the
/// zones of a configuration or a regex are not known at compile time. An interned text is never
/// freed. So only names that the application or its configuration writes may be interned, never
/// text that comes with a request.
pub fn intern(text: &str) -> &'static str {
    let mut interned = INTERNED.lock();
    if let Some(same) = interned.get(text) {
        return same;
    }
    let kept: &'static str = Box::leak(text.into());
    interned.insert(kept);
    kept
}

/// Returns a static copy of the lengths of a block; equal lists share one copy. See [`intern`].
pub fn intern_lengths(lengths: &[Duration]) -> &'static [Duration] {
    let mut interned = LENGTHS.lock();
    if let Some(same) = interned.get(lengths) {
        return same;
    }
    let kept: &'static [Duration] = Box::leak(lengths.into());
    interned.insert(kept);
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
