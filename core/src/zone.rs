//! Zones as keys in Redis have them. The default zone of a handler is its path, which would make
//! most of its counters' keys, so a long path is written as a hash.

/// The most bytes of a path that is written out.
const LONGEST: usize = 16;
/// The letters of a hash, in their order as digits.
const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The number of letters: 52^9 are 2^51.3 hashes.
const LENGTH: usize = 9;

/// Returns the letters that stand for a zone in keys: for a path (with `::` in it) of more than 16
/// bytes, as default zones are. `None` for a zone that is written out.
///
/// The letters depend on the text alone, so every process and build writes the same, and a limit
/// that names a handler's path as its zone has the handler's counters. The hash is FNV-1a of 64
/// bits with the last step of `MurmurHash3`, modulo 52^9, as a number with the digits `A` to `Z`
/// and `a` to `z`. Only the application chooses zones, so nothing can search for a collision. Of a
/// thousand zones, two have the same letters with a probability of 2^-32.
///
/// ```
/// use actix_throttle_core::zone::letters;
///
/// let zone = letters("shop::handlers::login");
/// assert_eq!(zone.as_ref().map(|letters| letters.as_slice()), Some(b"cvTpwvgcY".as_slice()));
/// assert_eq!(letters("login"), None);
/// ```
#[inline]
#[must_use]
pub fn letters(zone: &str) -> Option<[u8; LENGTH]> {
    if zone.len() <= LONGEST || !zone.contains("::") {
        return None;
    }
    let mut number = hash(zone.as_bytes()) % 52_u64.pow(9);
    let mut letters = [0; LENGTH];
    for letter in letters.iter_mut().rev() {
        *letter = usize::try_from(number % 52).map_or(0, |digit| LETTERS[digit]);
        number /= 52;
    }
    Some(letters)
}

/// Returns a zone as keys have it.
#[must_use]
pub fn written(zone: &str) -> String {
    let mut text = String::new();
    write(zone, &mut text);
    text
}

/// Writes a zone as keys have it.
#[inline]
pub(crate) fn write(zone: &str, text: &mut String) {
    match letters(zone) {
        None => text.push_str(zone),
        Some(letters) => text.extend(letters.map(char::from)),
    }
}

fn hash(text: &[u8]) -> u64 {
    let mut hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ hash >> 33).wrapping_mul(factor);
    }
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn letters_of_paths_differ() {
        let paths = (0..10_000).map(|number| format!("shop::handlers::handler{number}"));
        let all: HashSet<_> = paths.filter_map(|path| letters(&path)).collect();
        assert_eq!(all.len(), 10_000);
        assert!(all.iter().flatten().all(u8::is_ascii_alphabetic));
    }

    #[test]
    fn zones_that_are_short_or_no_path_are_written_out() {
        for zone in [
            "",
            "login",
            "app::login",
            "a::b::c::handlers",
            "a rather long name of a zone",
        ] {
            let mut text = String::new();
            write(zone, &mut text);
            let is_long_path = zone.contains("::") && zone.len() > LONGEST;
            assert_eq!(text == zone, !is_long_path, "{zone}: {text}");
        }
    }
}
