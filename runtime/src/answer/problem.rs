//! Problem documents (RFC 9457) for those who are denied.

use std::time::Duration;

use actix_web::{HttpResponse, http::header::ContentType};
use serde_json::json;

use crate::decision::{Decision, LimitStatus};

/// 429 with a problem document of the type that draft-ietf-httpapi-ratelimit-headers registers.
pub(crate) fn quota_exceeded(decision: &Decision) -> HttpResponse {
    let policies: Vec<_> = decision.violated().map(LimitStatus::name).collect();
    let mut document = json!({
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Too Many Requests",
        "status": 429,
        "detail": detail(decision),
        "violated-policies": policies,
    });
    if let Some(wait) = decision.retry_after() {
        document["retry_after_ms"] = json!(milliseconds(wait));
    }
    HttpResponse::TooManyRequests()
        .insert_header(ContentType(problem_json()))
        .body(document.to_string())
}

/// 503 with a problem document of the type that the same draft registers: the limits cannot be
/// decided at present.
pub(crate) fn unavailable(retry_after: Option<Duration>) -> HttpResponse {
    // Whoever does not know when the store is asked again asks in a moment.
    let wait = retry_after.unwrap_or_default().max(Duration::from_secs(1));
    let document = json!({
        "type": "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Rate limits cannot be checked at the moment.",
        "retry_after_ms": milliseconds(wait),
    });
    let mut response = HttpResponse::ServiceUnavailable()
        .insert_header(ContentType(problem_json()))
        .body(document.to_string());
    super::retry_after(response.headers_mut(), Some(wait));
    response
}

/// Whole milliseconds, rounded up.
fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}

fn problem_json() -> actix_web::mime::Mime {
    // The parser knows this one; plain JSON is what it is a kind of.
    "application/problem+json"
        .parse()
        .unwrap_or(actix_web::mime::APPLICATION_JSON)
}

fn detail(decision: &Decision) -> String {
    let Some(limit) = decision.strictest() else {
        return "The request was denied.".to_owned();
    };
    let (name, quota) = (limit.name(), limit.limit().quota());
    if limit.is_impossible() {
        return format!(
            "This request costs more than the limit \"{name}\" can ever hold ({quota}). \
             Waiting will not help; ask for less at once."
        );
    }
    if limit.is_blocked() {
        return format!("Blocked for having exceeded the limit \"{name}\".");
    }
    let window = limit.limit().window();
    let times = limit.limit().times();
    format!("The limit \"{name}\" of {times} per {window:?} is exhausted.")
}
