//! Numbers and times in words.

use std::time::{Duration, UNIX_EPOCH};

use maud::{Markup, html};

/// The longest text of a client that is shown, in characters.
const LONGEST: usize = 120;

/// Groups the digits of a number.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A rate a second: `0`, `0.4`, `12`.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        zero if zero < 0.05 => "0".to_owned(),
        small if small < 9.95 => format!("{small:.1}"),
        large => format!("{large:.0}"),
    }
}

/// A moment, as the time that has passed since.
pub(super) fn ago(at: u64, now: u64) -> Markup {
    let words = match now.saturating_sub(at) {
        0..2 => "just now".to_owned(),
        seconds @ 2..120 => format!("{seconds} s ago"),
        seconds @ 120..7_200 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    };
    let moment = moment(at).unwrap_or_default();
    html! { span.moment title=(moment) { (words) } }
}

/// A moment as a date, in seconds since the Unix epoch.
pub(super) fn moment(at: u64) -> Option<String> {
    // The year has four digits.
    let is_dated = at < 253_402_300_800;
    let moment = UNIX_EPOCH.checked_add(Duration::from_secs(at));
    moment.filter(|_| is_dated).map(httpdate::fmt_http_date)
}

/// A length of time: `45 s`, `4 min`, `2.5 h`.
pub(super) fn length(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    match seconds {
        short if short < 1.0 => format!("{:.0} ms", (short * 1e3).ceil()),
        seconds if seconds < 120.0 => format!("{:.0} s", seconds.ceil()),
        seconds if seconds < 7_200.0 => format!("{:.0} min", (seconds / 60.0).ceil()),
        seconds if seconds < 172_800.0 => format!("{:.1} h", seconds / 3_600.0),
        seconds => format!("{:.1} days", seconds / 86_400.0),
    }
}

/// A text that a client may have written: isolated, and cut.
pub(super) fn foreign(text: &str) -> Markup {
    let shown = cut(text);
    html! { bdi.foreign { (shown) } }
}

/// An identity in the form that keys have, isolated and cut.
pub(super) fn identity(text: &str) -> Markup {
    let shown = cut(text);
    html! { bdi.identity { (shown) } }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(number(7), "7");
        assert_eq!(number(1_234), "1\u{202f}234");
        assert_eq!(number(12_345_678), "12\u{202f}345\u{202f}678");
        assert_eq!(rate(0.0), "0");
        assert_eq!(rate(0.44), "0.4");
        assert_eq!(rate(12.4), "12");
        assert_eq!(length(Duration::from_millis(250)), "250 ms");
        assert_eq!(length(Duration::from_millis(59_001)), "60 s");
        assert_eq!(length(Duration::from_secs(3_600)), "60 min");
        assert!(ago(100, 161).into_string().contains("61 s ago"));
    }

    #[test]
    fn foreign_text_is_escaped_isolated_and_cut() {
        let hostile = format!("<script>alert(1)</script>\u{202e}{}", "x".repeat(4_000));
        let markup = foreign(&hostile).into_string();
        assert!(
            markup.starts_with("<bdi class=\"foreign\">&lt;script&gt;"),
            "{markup}"
        );
        assert!(!markup.contains("<script"));
        assert!(markup.chars().count() < 200, "{}", markup.len());
        assert!(markup.ends_with("…</bdi>"));
    }
}
