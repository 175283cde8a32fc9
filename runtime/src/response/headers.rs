//! The headers of a decision: `X-RateLimit-*`, `RateLimit`, `RateLimit-Policy` and `Retry-After`.

use std::time::Duration;

use actix_throttle_core::{
    decision::{LimitStatus, stricter, strictest},
    limit::{Algorithm, Limit, Refill},
    time::whole_seconds,
};
use actix_web::http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use smallvec::SmallVec;

use super::{
    foreign_headers::{
        ForeignHeaders, HeaderTriple, IETF, IETF_POLICY, Lists, Member, Names, OLD_DRAFTS, X,
        number as read,
    },
    header_value,
};

/// The rate-limit headers that a response gets.
///
/// # Headers that a response has already
///
/// A handler may set such headers itself, or pass on those of an upstream service. The three
/// `X-RateLimit-*` stay as a whole if less remains by them; otherwise, or if their remaining quota
/// cannot be read, ours replace them as a whole. (`RateLimit-Limit`, `-Remaining` and `-Reset` of
/// older drafts are treated in this way, too, if they are there.) `RateLimit` and
/// `RateLimit-Policy` list our policies, then the foreign ones by other names. A kind of header
/// that the response already has shows our limits too, whatever the style is, so none contradicts
/// another; `Off` touches none.
///
/// `Retry-After` of a handler's own response is left alone. On a denial it is the longest wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderStyle {
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`, the last in seconds
    /// from now, rounded up, until the quota is whole again. The default.
    #[default]
    XRateLimit,
    /// `RateLimit-Policy` and `RateLimit`, all policies listed. `t` is the time until more quota is
    /// available ([`LimitStatus::more_after`]), on a denial the value of `Retry-After`.
    ///
    /// Source: [draft-ietf-httpapi-ratelimit-headers-11][draft].
    ///
    /// [draft]: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-11
    Ietf,
    /// The headers of `XRateLimit` and those of `Ietf`.
    Both,
    /// The names of `XRateLimit`, with the reset in seconds since the Unix epoch.
    ///
    /// Source: GitHub, "Rate limits for the REST API".
    GitHub,
    /// No rate-limit headers. A denied request still gets `Retry-After`.
    Off,
}

/// The initial capacity in bytes, enough for most policies.
const ROOM: usize = 64;

/// How a limit stood, and when.
#[derive(Clone, Copy)]
pub(crate) struct DatedStatus<'a> {
    /// The time since the Unix epoch from which the status counts. Only `GitHub` shows it.
    pub(crate) at: Duration,
    pub(crate) status: &'a LimitStatus,
}

/// Writes the headers of `limits`, none of which is a shadow, beside the foreign ones of the
/// response: see [`ForeignHeaders`].
pub(crate) fn write<'a>(
    headers: &mut HeaderMap,
    style: HeaderStyle,
    limits: impl Iterator<Item = DatedStatus<'a>> + Clone,
    foreign: Option<&ForeignHeaders>,
) {
    let (mut x, epoch, mut ietf) = match style {
        HeaderStyle::XRateLimit => (true, false, false),
        HeaderStyle::Ietf => (false, false, true),
        HeaderStyle::Both => (true, false, true),
        HeaderStyle::GitHub => (true, true, false),
        HeaderStyle::Off => return,
    };
    let (mut theirs, mut lists) = (&HeaderTriple::Absent, None);
    if let Some(foreign) = foreign {
        (theirs, lists) = (&foreign.x, foreign.lists.as_ref());
        // Headers that the response already has show all limits, whatever the style is.
        x |= !theirs.is_absent();
        ietf |= lists.is_some();
        if !foreign.old_drafts.is_absent() {
            write_set(
                headers,
                OLD_DRAFTS,
                &foreign.old_drafts,
                limits.clone(),
                false,
            );
        }
    }
    if x {
        write_set(headers, X, theirs, limits.clone(), epoch);
    }
    if ietf {
        write_ietf(headers, limits.map(|dated| dated.status), lists);
    }
}

fn write_set<'a>(
    headers: &mut HeaderMap,
    names: Names,
    theirs: &HeaderTriple,
    limits: impl Iterator<Item = DatedStatus<'a>> + Clone,
    is_epoch: bool,
) {
    let statuses = limits.clone().map(|dated| dated.status);
    let allowed = !statuses.clone().any(LimitStatus::is_exceeded);
    let Some(limit) = strictest(statuses, allowed) else {
        return;
    };
    let mut limits = limits.filter(|_| is_epoch);
    let dated = limits.find(|dated| std::ptr::eq(dated.status, limit));
    let at = dated.map_or(Duration::ZERO, |dated| dated.at);
    let reset = whole_seconds(at.saturating_add(limit.reset_after()));
    let remaining = limit.remaining().into();
    let ours = [limit.quota().into(), remaining, reset].map(header_value::header_value);
    theirs.write(headers, names, remaining, ours);
}

/// Writes `RateLimit-Policy` and `RateLimit`. Only this function knows the draft's parameters,
/// because the next draft renames them.
fn write_ietf<'a>(
    headers: &mut HeaderMap,
    limits: impl Iterator<Item = &'a LimitStatus> + Clone,
    theirs: Option<&Lists>,
) {
    let denied_for = retry_after_of(limits.clone());
    let mut policies = String::with_capacity(ROOM);
    let mut states = String::with_capacity(ROOM);
    for status in members(limits.clone()) {
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
            // A concurrency limit has no window.
            None => policies.push_str(";qu=\"concurrent-requests\""),
        }
        if let Some(time) = time_to_more(status, denied_for) {
            push_number(&mut states, ";t=", time);
        }
    }
    if policies.is_empty() {
        return;
    }
    if let Some(theirs) = theirs {
        push_others(&mut policies, &theirs.policies, limits.clone());
        push_others(&mut states, &theirs.states, limits);
    }
    for (name, text) in [(IETF_POLICY, policies), (IETF, states)] {
        // Each text is ASCII that a header can hold, so the conversion does not fail.
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

/// Returns the statuses to list: the strictest of each policy, which may have been decided for
/// several identities.
fn members<'a>(limits: impl Iterator<Item = &'a LimitStatus>) -> SmallVec<[&'a LimitStatus; 4]> {
    let shown = |status: &LimitStatus| {
        let window = status.limit().map(window_seconds);
        (status.name(), status.quota(), window)
    };
    let mut members: SmallVec<[&LimitStatus; 4]> = SmallVec::new();
    for status in limits {
        let mut others = members.iter_mut();
        match others.find(|other| shown(other) == shown(status)) {
            Some(other) => *other = stricter(other, status),
            None => members.push(status),
        }
    }
    members
}

/// Adds the foreign policies whose names are not among ours.
fn push_others<'a>(
    out: &mut String,
    members: &[Member],
    limits: impl Iterator<Item = &'a LimitStatus> + Clone,
) {
    let is_ours = |member: &Member| {
        limits.clone().any(|limit| {
            let mut name = String::with_capacity(ROOM);
            push_string(&mut name, limit.name());
            name == member.name
        })
    };
    for member in members.iter().filter(|member| !is_ours(member)) {
        out.push_str(", ");
        out.push_str(&member.text);
    }
}

/// The wait for `Retry-After`, if one of these limits denies and a wait can help.
fn retry_after_of<'a>(limits: impl Iterator<Item = &'a LimitStatus> + Clone) -> Option<Duration> {
    let mut violated = limits.filter(|limit| limit.is_exceeded());
    let waits = violated.clone().filter_map(LimitStatus::retry_after);
    if violated.any(LimitStatus::exceeds_capacity) {
        None
    } else {
        waits.max()
    }
}

/// The whole seconds until more quota is available. A limit that has denied shows when it would
/// admit the same request. The other limits then show nothing later than `Retry-After`: a client
/// that takes the latest time of all would wait too long.
fn time_to_more(status: &LimitStatus, denied_for: Option<Duration>) -> Option<u64> {
    if let Some(wait) = status.retry_after() {
        return Some(whole_seconds(wait));
    }
    let more = whole_seconds(status.more_after()?);
    match denied_for {
        Some(wait) if more > whole_seconds(wait) => None,
        _ => Some(more),
    }
}

/// The seconds in which the whole quota comes back: the window, or for a token bucket the time to
/// fill it. `None` if that is no whole number of seconds, or if it differs from window to window,
/// as it does for the months of the calendar: `w` is optional.
fn window_seconds(limit: &Limit) -> Option<u64> {
    if !limit.has_even_windows() {
        return None;
    }
    let window = u128::from(limit.window_micros());
    let (quota, times) = (u128::from(limit.quota()), u128::from(limit.times().max(1)));
    let micros = match (limit.algorithm_value(), limit.refill_value()) {
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

/// Writes a structured-field string, with `?` for each character that it cannot hold:
/// [RFC 9651, section 4.1.6](https://www.rfc-editor.org/rfc/rfc9651#section-4.1.6).
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

/// Writes `Retry-After`, once. If the response has it in seconds, the longest wait holds, because a
/// client that comes sooner is denied again. A date stays.
///
/// Source: [RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
pub(crate) fn retry_after(headers: &mut HeaderMap, wait: Option<Duration>) {
    let Some(wait) = wait else { return };
    let mut seconds = whole_seconds(wait).max(1);
    for value in headers.get_all(RETRY_AFTER) {
        match read(value) {
            Some(theirs) => seconds = seconds.max(theirs),
            None => {
                let date = value.clone();
                headers.insert(RETRY_AFTER, date);
                return;
            }
        }
    }
    headers.insert(RETRY_AFTER, header_value::header_value(seconds));
}
