//! `X-RateLimit-*`, `RateLimit`, `RateLimit-Policy` and `Retry-After`.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::number;
use crate::{
    decision::{LimitStatus, strictest},
    limit::{Algorithm, Limit, Refill},
};

/// Which headers tell clients of their limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderStyle {
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`, the last in seconds
    /// from now, rounded up, until the quota is whole again.
    #[default]
    XRateLimit,
    /// `RateLimit-Policy` and `RateLimit`, all policies listed.
    ///
    /// Source: draft-ietf-httpapi-ratelimit-headers-11.
    Ietf,
    /// Both of these.
    Both,
    /// The names of `XRateLimit`, the reset in seconds since the Unix epoch.
    ///
    /// Source: GitHub, "Rate limits for the REST API".
    GitHub,
    /// None. A denied request still gets `Retry-After`.
    Off,
}

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const IETF: HeaderName = HeaderName::from_static("ratelimit");
const IETF_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Room for what one policy mostly says.
const ROOM: usize = 64;

/// Writes what `limits` (none of them a shadow) say, in place of what stood there before.
///
/// `now` is the time since the Unix epoch.
pub(crate) fn write<'a>(
    headers: &mut HeaderMap,
    style: HeaderStyle,
    limits: impl Iterator<Item = &'a LimitStatus> + Clone,
    now: Duration,
) {
    let (x, epoch, ietf) = match style {
        HeaderStyle::XRateLimit => (true, false, false),
        HeaderStyle::Ietf => (false, false, true),
        HeaderStyle::Both => (true, false, true),
        HeaderStyle::GitHub => (true, true, false),
        HeaderStyle::Off => return,
    };
    if x {
        write_x(headers, limits.clone(), epoch.then_some(now));
    }
    if ietf {
        write_ietf(headers, limits);
    }
}

fn write_x<'a>(
    headers: &mut HeaderMap,
    limits: impl Iterator<Item = &'a LimitStatus> + Clone,
    epoch: Option<Duration>,
) {
    let allowed = !limits.clone().any(LimitStatus::is_violated);
    let Some(limit) = strictest(limits, allowed) else {
        return;
    };
    let reset = match epoch {
        None => seconds(limit.reset_after()),
        Some(now) => seconds(now + limit.reset_after()),
    };
    headers.insert(LIMIT, number::value(limit.quota().into()));
    headers.insert(REMAINING, number::value(limit.remaining().into()));
    headers.insert(RESET, number::value(reset));
}

/// The one place that knows the draft's parameters: the next draft renames them.
fn write_ietf<'a>(
    headers: &mut HeaderMap,
    limits: impl Iterator<Item = &'a LimitStatus> + Clone,
) {
    let denied_for = retry_after_of(limits.clone());
    let mut policies = String::with_capacity(ROOM);
    let mut states = String::with_capacity(ROOM);
    for status in limits {
        if !policies.is_empty() {
            policies.push_str(", ");
            states.push_str(", ");
        }
        push_string(&mut policies, status.name());
        push_string(&mut states, status.name());
        push_number(&mut policies, ";q=", status.quota().into());
        push_number(&mut states, ";r=", status.remaining().into());
        match status.limit() {
            Some(limit) => {
                if let Some(window) = window_seconds(limit) {
                    push_number(&mut policies, ";w=", window);
                }
            }
            // Places have no window.
            None => policies.push_str(";qu=\"concurrent-requests\""),
        }
        if let Some(time) = time_to_more(status, denied_for) {
            push_number(&mut states, ";t=", time);
        }
    }
    for (name, text) in [(IETF_POLICY, policies), (IETF, states)] {
        // A zone that stands in for a name may hold what no header can.
        if let Ok(value) = HeaderValue::try_from(text)
            && !value.is_empty()
        {
            headers.insert(name, value);
        }
    }
}

/// What `Retry-After` says to whom one of these has denied.
fn retry_after_of<'a>(limits: impl Iterator<Item = &'a LimitStatus> + Clone) -> Option<Duration> {
    let mut violated = limits.filter(|limit| limit.is_violated());
    let waits = violated.clone().filter_map(LimitStatus::retry_after);
    match violated.any(LimitStatus::is_impossible) {
        true => None,
        false => waits.max(),
    }
}

/// Whole seconds until additional quota is available. A limit that has denied says when it lets the
/// same request through. The others then say nothing later than `Retry-After`: whoever takes the latest
/// time of all would wait for nothing.
fn time_to_more(status: &LimitStatus, denied_for: Option<Duration>) -> Option<u64> {
    if let Some(wait) = status.retry_after() {
        return Some(seconds(wait));
    }
    let more = seconds(status.more_after()?);
    match denied_for {
        Some(wait) if more > seconds(wait) => None,
        _ => Some(more),
    }
}

/// The time in which the whole quota comes back: the window, or for a token bucket what filling it
/// takes. `None` if that is no whole number of seconds.
fn window_seconds(limit: &Limit) -> Option<u64> {
    let window = u128::from(limit.window_micros());
    let (quota, times) = (u128::from(limit.quota()), u128::from(limit.times().max(1)));
    let micros = match (limit.kind(), limit.refill_kind()) {
        (Algorithm::TokenBucket, Refill::Greedy) => {
            let whole = quota * window;
            whole.is_multiple_of(times).then_some(whole / times)?
        }
        (Algorithm::TokenBucket, Refill::Interval) => quota.div_ceil(times) * window,
        _ => window,
    };
    let whole = micros.is_multiple_of(1_000_000);
    whole.then(|| u64::try_from(micros / 1_000_000).ok())?
}

fn push_number(out: &mut String, name: &str, number: u64) {
    out.push_str(name);
    out.push_str(itoa::Buffer::new().format(number));
}

/// A structured-field string (RFC 9651, 4.1.6).
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(if (' '..='~').contains(&character) {
            character
        } else {
            '?'
        });
    }
    out.push('"');
}

/// `Retry-After`, unless the response has one.
pub(crate) fn retry_after(headers: &mut HeaderMap, wait: Option<Duration>) {
    if let Some(wait) = wait
        && !headers.contains_key(RETRY_AFTER)
    {
        headers.insert(RETRY_AFTER, number::value(seconds(wait).max(1)));
    }
}

/// Whole seconds, rounded up.
pub(crate) fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
