//! Problem documents ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)): the bodies of denials
//! and of responses to requests that could not be decided.

use std::{io::Write, time::Duration};

use actix_throttle_core::decision::{Decision, LimitStatus};
use actix_web::{
    HttpResponse,
    body::BoxBody,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderValue},
    },
};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Builds the 429 response to a denied request. The type of its problem document is registered by
/// [draft-ietf-httpapi-ratelimit-headers][draft].
///
/// [draft]: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-11
pub(crate) fn quota_exceeded(decision: &Decision) -> HttpResponse {
    let mut document = Document::begin();
    document.detail(decision);
    if let Some(wait) = decision.retry_after() {
        document.retry_after(wait);
    }
    document.written(concat!(
        r#","status":429,"title":"Too Many Requests","#,
        r#""type":"https://iana.org/assignments/http-problem-types#quota-exceeded","#,
        r#""violated-policies":["#,
    ));
    for (index, name) in decision.violated().map(LimitStatus::name).enumerate() {
        if index > 0 {
            document.written(",");
        }
        document.text(name);
    }
    document.written("]}");
    document.into_response(StatusCode::TOO_MANY_REQUESTS)
}

/// Builds the 429 response to a caller that has waited in vain. It names no limit, as none is
/// known.
pub(crate) fn timed_out(retry_after: Option<Duration>) -> HttpResponse {
    let mut document = Document::begin();
    match retry_after {
        Some(wait) => {
            document.written("There was no capacity within the longest wait.\"");
            document.retry_after(wait);
        }
        None => document.written("This asks for more than there can ever be room for.\""),
    }
    document.written(concat!(
        r#","status":429,"title":"Too Many Requests","#,
        r#""type":"https://iana.org/assignments/http-problem-types#quota-exceeded"}"#,
    ));
    let mut response = document.into_response(StatusCode::TOO_MANY_REQUESTS);
    super::retry_after(response.headers_mut(), retry_after);
    response
}

/// Builds the 503 response to a request that cannot be decided at present. The type of its problem
/// document is registered by [draft-ietf-httpapi-ratelimit-headers][draft].
///
/// [draft]: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-11
pub(crate) fn unavailable(retry_after: Option<Duration>) -> HttpResponse {
    // The wait is a second at least, also if the time of the store's next attempt is unknown.
    let wait = retry_after.unwrap_or_default().max(Duration::from_secs(1));
    let mut document = Document::begin();
    document.written("Rate limits cannot be checked at the moment.\"");
    document.retry_after(wait);
    document.written(concat!(
        r#","status":503,"title":"Service Unavailable","#,
        r#""type":"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"}"#,
    ));
    let mut response = document.into_response(StatusCode::SERVICE_UNAVAILABLE);
    super::retry_after(response.headers_mut(), Some(wait));
    response
}

/// Builds the 403 response to a request of a denied network.
pub(crate) fn forbidden() -> HttpResponse {
    let mut document = Document::begin();
    document.written(concat!(
        r#"Requests from this network are not accepted.","status":403,"title":"Forbidden","#,
        r#""type":"about:blank"}"#,
    ));
    document.into_response(StatusCode::FORBIDDEN)
}

/// A JSON object that is written as text: 750 instructions a document, where a derived `Serialize`
/// takes 4,400. A flood of denials is made of these documents.
struct Document(Vec<u8>);

impl Document {
    /// Starts the document, up to the beginning of the text of `detail`.
    fn begin() -> Self {
        let mut document = Self(Vec::with_capacity(320));
        document.written(r#"{"detail":""#);
        document
    }

    /// Appends text as it is.
    fn written(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.written(itoa::Buffer::new().format(number));
    }

    fn text(&mut self, text: &str) {
        // Writing a string to a Vec cannot fail.
        let _ = serde_json::to_writer(&mut self.0, text);
    }

    /// Appends a name in quotes, within a text.
    fn quoted(&mut self, name: &str) {
        self.written("\\");
        self.text(name);
        self.0.pop();
        self.written("\\\"");
    }

    /// Appends a window as `Duration` formats it for `Debug`.
    fn window(&mut self, window: Duration) {
        match (window.as_secs(), window.subsec_nanos()) {
            (seconds, 0) => {
                self.number(seconds);
                self.written("s");
            }
            (0, nanos) if nanos.is_multiple_of(1_000_000) => {
                self.number((nanos / 1_000_000).into());
                self.written("ms");
            }
            // Writing to a Vec cannot fail.
            _ => drop(write!(self.0, "{window:?}")),
        }
    }

    /// Appends the reason for the denial, and ends the text of `detail`.
    fn detail(&mut self, decision: &Decision) {
        match decision.strictest() {
            Some(limit) => self.reason(limit),
            None => self.written("The request was denied."),
        }
        self.written("\"");
    }

    fn reason(&mut self, limit: &LimitStatus) {
        if limit.exceeds_capacity() {
            self.written("This request costs more than the limit ");
            self.quoted(limit.name());
            self.written(" can ever hold (");
            self.number(limit.quota().into());
            return self.written("). Waiting will not help; ask for less at once.");
        }
        if limit.is_blocked() {
            self.written("Blocked under the limit ");
            self.quoted(limit.name());
            return self.written(".");
        }
        self.written("The limit ");
        self.quoted(limit.name());
        self.written(" of ");
        match limit.limit() {
            Some(limit) => {
                self.number(limit.times().into());
                self.written(" per ");
                match limit.period() {
                    Some(period) => self.written(period.as_str()),
                    None => self.window(limit.window()),
                }
            }
            None => {
                self.number(limit.quota().into());
                self.written(" at once");
            }
        }
        self.written(match limit.remaining() {
            0 => " is exhausted.",
            // The cost is above what remains, or too many requests are being slowed down.
            _ => " has no room for this request.",
        });
    }

    fn retry_after(&mut self, wait: Duration) {
        self.written(r#","retry_after_ms":"#);
        self.number(milliseconds(wait));
    }

    fn into_response(self, status: StatusCode) -> HttpResponse {
        let mut response = HttpResponse::with_body(status, BoxBody::new(self.0));
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        response
    }
}

/// Rounds a wait up to whole milliseconds.
fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Document)) -> String {
        let mut document = Document(Vec::new());
        write(&mut document);
        String::from_utf8(document.0).unwrap()
    }

    #[test]
    fn windows_are_written_as_durations_are() {
        for micros in [
            1_000,
            1_500,
            100_000,
            1_000_000,
            1_500_000,
            60_000_000,
            86_400_000_001,
        ] {
            let window = Duration::from_micros(micros);
            let written = written(|document| document.window(window));
            assert_eq!(written, format!("{window:?}"));
        }
    }

    #[test]
    fn names_are_quoted_within_a_text() {
        for name in ["login", "a\"b\\c", "zeile\n", "übrig"] {
            let text = written(|document| {
                document.written("\"");
                document.quoted(name);
                document.written("\"");
            });
            let text: String = serde_json::from_str(&text).unwrap();
            assert_eq!(text, format!("\"{name}\""));
        }
    }
}
