//! Numbers as header values, without an allocation for small ones: 100 instructions each, where
//! `HeaderValue::from` takes 610 and `from_str` 320. A response has three of them or more.

use actix_web::{http::header::HeaderValue, web::Bytes};

/// Numbers below this cost no allocation. Most limits, and what remains of them, are below it.
const SMALL: usize = 1_000;
const DIGITS: usize = 3;

/// The numbers `000` to `999`, each in three digits.
static WRITTEN: [u8; SMALL * DIGITS] = written();

/// Converts a number into a header value.
pub(super) fn header_value(number: u64) -> HeaderValue {
    let small = usize::try_from(number).ok();
    if let Some(number) = small.filter(|number| *number < SMALL) {
        let skipped = match number {
            0..10 => 2,
            10..100 => 1,
            _ => 0,
        };
        let digits = &WRITTEN[number * DIGITS + skipped..(number + 1) * DIGITS];
        if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from_static(digits)) {
            return value;
        }
    }
    let mut buffer = itoa::Buffer::new();
    // Digits are always a valid value; `From` would do as well, with one more allocation.
    HeaderValue::from_str(buffer.format(number)).unwrap_or_else(|_| number.into())
}

#[allow(clippy::cast_possible_truncation, reason = "a digit")]
const fn written() -> [u8; SMALL * DIGITS] {
    let mut written = [b'0'; SMALL * DIGITS];
    let mut number = 0;
    while number < SMALL {
        let at = number * DIGITS;
        written[at] += (number / 100) as u8;
        written[at + 1] += (number / 10 % 10) as u8;
        written[at + 2] += (number % 10) as u8;
        number += 1;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for number in (0..2_000).chain([u64::from(u32::MAX), u64::MAX]) {
            assert_eq!(
                header_value(number).to_str().ok(),
                Some(&*number.to_string())
            );
        }
    }
}
