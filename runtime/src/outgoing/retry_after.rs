//! The header `Retry-After` ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3),
//! 10.2.3): seconds or a date.

use std::time::{Duration, SystemTime};

/// Returns how long the header asks to wait; `None` if it is invalid or that time is over.
pub(super) fn wait(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = match seconds(value) {
        Some(seconds) => Duration::from_secs(seconds),
        None => {
            let until = httpdate::parse_http_date(value).ok()?;
            // Use the clock that made the date, if the response has it: clocks of machines differ.
            let sent = date.and_then(|date| httpdate::parse_http_date(date).ok());
            until.duration_since(sent.unwrap_or(now)).ok()?
        }
    };
    Some(wait).filter(|wait| !wait.is_zero())
}

/// Parses digits and nothing else. A number of any length is a long time.
fn seconds(value: &str) -> Option<u64> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| value.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "Sun, 06 Nov 1994 12:00:00 GMT";

    fn seconds_to_wait(value: &str, date: Option<&str>) -> Option<u64> {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 11:59:00 GMT").unwrap();
        wait(value, date, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        for (value, expected) in [
            ("120", Some(120)),
            (" 3 ", Some(3)),
            ("99999999999999999999999", Some(u64::MAX)),
            (NOON, Some(60)),
            ("Sunday, 06-Nov-94 12:00:00 GMT", Some(60)),
            ("Sun, 06 Nov 1994 11:59:00 GMT", None),
            ("Sun, 06 Nov 1994 11:00:00 GMT", None),
            ("0", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(seconds_to_wait(value, None), expected, "{value}");
        }
    }

    #[test]
    fn dates_are_relative_to_the_date_header() {
        let date = Some("Sun, 06 Nov 1994 11:59:55 GMT");
        assert_eq!(seconds_to_wait(NOON, date), Some(5));
        assert_eq!(seconds_to_wait("7", date), Some(7));
        assert_eq!(seconds_to_wait(NOON, Some("no date")), Some(60));
    }
}
