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
            // The date counts by the clock that made it, if the response has its time, because the
            // clocks of machines differ.
            let sent = date.and_then(|date| httpdate::parse_http_date(date).ok());
            until.duration_since(sent.unwrap_or(now)).ok()?
        }
    };
    Some(wait).filter(|wait| !wait.is_zero())
}

/// Returns how long a response asks to wait that has used up a quota: until the time of
/// `X-RateLimit-Reset`, if `X-RateLimit-Remaining` is 0. Services write that time in seconds since
/// the Unix epoch, or as the seconds until then.
pub(super) fn until_reset(
    remaining: &str,
    reset: &str,
    date: Option<&str>,
    now: SystemTime,
) -> Option<Duration> {
    if seconds(remaining.trim())? > 0 {
        return None;
    }
    let reset = seconds(reset.trim())?;
    let wait = match reset {
        ..EPOCHS => Duration::from_secs(reset),
        _ => {
            let until = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset))?;
            let sent = date.and_then(|date| httpdate::parse_http_date(date).ok());
            until.duration_since(sent.unwrap_or(now)).ok()?
        }
    };
    Some(wait).filter(|wait| !wait.is_zero())
}

/// The number of seconds from which a reset is a time since the Unix epoch: the year 2001, or a
/// wait of 31 years.
const EPOCHS: u64 = 1_000_000_000;

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
    fn reset_of_a_used_up_quota_is_read() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 11:59:00 GMT").unwrap();
        let recent = httpdate::parse_http_date("Mon, 24 Nov 2025 12:00:00 GMT").unwrap();
        let date = Some("Mon, 24 Nov 2025 11:59:58 GMT");
        for (remaining, reset, date, now, expected) in [
            ("0", "7", None, now, Some(7)),
            (" 0 ", "1763985660", None, recent, Some(60)),
            ("0", "1763985660", date, recent, Some(62)),
            ("0", "1763985600", None, recent, None),
            ("1", "7", None, now, None),
            ("0", "0", None, now, None),
            ("", "7", None, now, None),
            ("0", "soon", None, now, None),
            ("0", "99999999999999999999", None, now, None),
        ] {
            let wait = until_reset(remaining, reset, date, now);
            let says = format!("{remaining} {reset}");
            assert_eq!(wait.map(|wait| wait.as_secs()), expected, "{says}");
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
