//! Problem documents (RFC 9457) for those who are denied.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_TYPE, HeaderValue},
};

use crate::decision::{Decision, LimitStatus};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// 429 with a problem document of the type that draft-ietf-httpapi-ratelimit-headers registers.
pub(crate) fn quota_exceeded(decision: &Decision) -> HttpResponse {
    let mut document = Document::new();
    document.text("detail", &detail(decision));
    if let Some(wait) = decision.retry_after() {
        document.number("retry_after_ms", milliseconds(wait));
    }
    document.written(concat!(
        r#""status":429,"title":"Too Many Requests","#,
        r#""type":"https://iana.org/assignments/http-problem-types#quota-exceeded""#,
    ));
    let names = decision.violated().map(LimitStatus::name);
    document.texts("violated-policies", names);
    HttpResponse::TooManyRequests()
        .insert_header((CONTENT_TYPE, PROBLEM_JSON))
        .body(document.finish())
}

/// 503 with a problem document of the type that the same draft registers: the limits cannot be
/// decided at present.
pub(crate) fn unavailable(retry_after: Option<Duration>) -> HttpResponse {
    // Whoever does not know when the store is asked again asks in a moment.
    let wait = retry_after.unwrap_or_default().max(Duration::from_secs(1));
    let mut document = Document::new();
    document.text("detail", "Rate limits cannot be checked at the moment.");
    document.number("retry_after_ms", milliseconds(wait));
    document.written(concat!(
        r#""status":503,"title":"Service Unavailable","#,
        r#""type":"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity""#,
    ));
    let mut response = HttpResponse::ServiceUnavailable()
        .insert_header((CONTENT_TYPE, PROBLEM_JSON))
        .body(document.finish());
    super::retry_after(response.headers_mut(), Some(wait));
    response
}

/// A JSON object in the making: a flood of denials is answered without a tree of values for each.
struct Document(Vec<u8>);

impl Document {
    fn new() -> Self {
        let mut text = Vec::with_capacity(320);
        text.push(b'{');
        Self(text)
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.name(name);
        self.push_text(text);
    }

    fn texts<'a>(&mut self, name: &'static str, texts: impl Iterator<Item = &'a str>) {
        self.name(name);
        self.0.push(b'[');
        for (index, text) in texts.enumerate() {
            if index > 0 {
                self.0.push(b',');
            }
            self.push_text(text);
        }
        self.0.push(b']');
    }

    fn number(&mut self, name: &'static str, number: u64) {
        self.name(name);
        let mut digits = itoa::Buffer::new();
        self.0.extend_from_slice(digits.format(number).as_bytes());
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    /// Members that are the same for all.
    fn written(&mut self, members: &'static str) {
        self.separate();
        self.0.extend_from_slice(members.as_bytes());
    }

    /// Names have nothing to escape.
    fn name(&mut self, name: &'static str) {
        self.separate();
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn separate(&mut self) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
    }

    fn push_text(&mut self, text: &str) {
        // Writing a string to a Vec cannot fail.
        let _ = serde_json::to_writer(&mut self.0, text);
    }
}

/// Whole milliseconds, rounded up.
fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}

fn detail(decision: &Decision) -> String {
    let Some(limit) = decision.strictest() else {
        return "The request was denied.".to_owned();
    };
    let (name, quota) = (limit.name(), limit.quota());
    if limit.is_impossible() {
        return format!(
            "This request costs more than the limit \"{name}\" can ever hold ({quota}). \
             Waiting will not help; ask for less at once."
        );
    }
    if limit.is_blocked() {
        return format!("Blocked for having exceeded the limit \"{name}\".");
    }
    let Some(limit) = limit.limit() else {
        return format!("The limit \"{name}\" of {quota} at once is exhausted.");
    };
    let (times, window) = (limit.times(), limit.window());
    format!("The limit \"{name}\" of {times} per {window:?} is exhausted.")
}
