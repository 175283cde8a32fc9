//! Reads the values of keys that a scan has found. It is the only place that knows which commands
//! read them; what the bytes mean is in the core.

use actix_throttle_core::{
    key::{KeyContent, KeyKind, KeyText},
    limit::Algorithm,
    stored::{EXPIRY_MARGIN, LogElement, LogSearch, StoredBlock, StoredCounter},
    time::Micros,
};
use redis::{Cmd, FromRedisValue, Value};

use super::entry::{Entry, State};
use crate::{error::CliError, server::Node};

/// Reads the entries of these keys. A key that is gone, or is not one of this library's under the
/// prefix, has none.
///
/// # Errors
///
/// If the server does not reply.
pub(super) fn read(node: &mut Node, prefix: &str, keys: &[String]) -> Result<Vec<Entry>, CliError> {
    let parsed: Vec<(&String, KeyText<'_>, KeyKind)> = keys
        .iter()
        .filter_map(|key| {
            let text = KeyText::parse(key, prefix)?;
            match text.content {
                KeyContent::Entry(kind) => Some((key, text, kind)),
                KeyContent::IdempotencyKey => None,
            }
        })
        .collect();
    if parsed.is_empty() {
        return Ok(Vec::new());
    }
    let now = time(node)?;
    let commands: Vec<Cmd> = parsed
        .iter()
        .flat_map(|(key, _, kind)| commands(key, *kind, now))
        .collect();
    let mut replies = node.calls(&commands)?.into_iter();
    let mut entries = Vec::with_capacity(parsed.len());
    let mut searches = Vec::new();
    for (key, text, kind) in parsed {
        let expires = expiry(replies.next());
        let read = match kind {
            KeyKind::PermitTable { .. } => permits(replies.next(), replies.next(), now),
            kind => single(kind, replies.next(), expires.flatten(), now),
        };
        // The key has expired since it was found.
        let (Some(expires), Some(read)) = (expires, read) else {
            continue;
        };
        let state = match read {
            Read::State(state) => state,
            Read::Log(search) => {
                searches.push((entries.len(), search));
                State::Unreadable
            }
        };
        entries.push(Entry {
            key: key.clone(),
            identity: text.identity.to_owned(),
            zone: text.zone.to_owned(),
            kind,
            state,
            expires,
        });
    }
    search_logs(node, &mut entries, searches)?;
    Ok(entries)
}

/// The time of the server, in microseconds. It is the time by which the script decides.
///
/// # Errors
///
/// If the server does not reply.
pub(super) fn time(node: &mut Node) -> Result<Micros, CliError> {
    let (seconds, micros): (u64, u64) = node.call(&redis::cmd("TIME"))?;
    Ok(seconds.saturating_mul(1_000_000).saturating_add(micros))
}

/// The commands that read a key of this kind: the expiry, then the value.
fn commands(key: &str, kind: KeyKind, now: Micros) -> Vec<Cmd> {
    let about = |name: &str| {
        let mut command = redis::cmd(name);
        command.arg(key);
        command
    };
    let mut commands = vec![about("PTTL")];
    match kind {
        KeyKind::PermitTable { .. } => {
            let (mut held, mut last) = (about("ZCOUNT"), about("ZRANGE"));
            held.arg(format!("({now}")).arg("+inf");
            last.arg(-1).arg(-1).arg("WITHSCORES");
            commands.extend([held, last]);
        }
        KeyKind::Counter {
            algorithm: Algorithm::SlidingWindow,
            ..
        } => commands.push(about("LLEN")),
        KeyKind::Counter { .. } | KeyKind::Calendar { .. } | KeyKind::Block { .. } => {
            commands.push(about("GET"));
        }
    }
    commands
}

/// A decoded value, or the command that must be sent next.
enum Read {
    State(State),
    Log(LogSearch),
}

/// The expiry of a key: `Some(None)` if it has none, and `None` if there is no such key.
fn expiry(reply: Option<Value>) -> Option<Option<Micros>> {
    match as_type::<i64>(reply?)? {
        -2 => None,
        -1 => Some(None),
        millis => Some(Some(u64::try_from(millis).ok()?.saturating_mul(1_000))),
    }
}

/// Reads a value that one command reads. `None`: the key is gone.
fn single(
    kind: KeyKind,
    reply: Option<Value>,
    expires: Option<Micros>,
    now: Micros,
) -> Option<Read> {
    let reply = reply?;
    if let KeyKind::Counter {
        algorithm: Algorithm::SlidingWindow,
        window,
        ..
    } = kind
    {
        return match as_type::<u64>(reply) {
            Some(0) => None,
            Some(length) => Some(Read::Log(LogSearch::new(length, window, now))),
            None => Some(Read::State(State::Unreadable)),
        };
    }
    let raw: Vec<u8> = match reply {
        Value::Nil => return None,
        // A list or the like, where a text should be.
        reply => match as_type(reply) {
            Some(raw) => raw,
            None => return Some(Read::State(State::Unreadable)),
        },
    };
    let state = match kind {
        KeyKind::Counter {
            algorithm,
            refill,
            window,
            ..
        } => StoredCounter::decode(algorithm, refill, &raw).map(|counter| {
            let left = expires.map(|expires| expires.saturating_sub(EXPIRY_MARGIN));
            State::Used(counter.usage(window, now, left))
        }),
        // The key outlives the period, as another time zone's may end later.
        KeyKind::Calendar { period, .. } => StoredCounter::decode_calendar(&raw).map(|counter| {
            let kept = EXPIRY_MARGIN + period.zone_spread();
            let left = expires.map(|expires| expires.saturating_sub(kept));
            State::Used(counter.usage(0, now, left))
        }),
        KeyKind::Block { .. } => match StoredBlock::decode(&raw).map(|block| block.left(now)) {
            // It has ended, and its key expires soon.
            Some(0) => return None,
            left => left.map(State::Blocked),
        },
        KeyKind::PermitTable { .. } => None,
    };
    Some(Read::State(state.unwrap_or(State::Unreadable)))
}

/// Reads the permits that are held.
fn permits(held: Option<Value>, last: Option<Value>, now: Micros) -> Option<Read> {
    let Some(permits) = as_type::<u32>(held?) else {
        return Some(Read::State(State::Unreadable));
    };
    let last: Vec<(Vec<u8>, f64)> = as_type(last?)?;
    let deadline = last.first().map_or(0.0, |(_, deadline)| *deadline);
    // Deadlines are whole microseconds below 2^53, which a double holds exactly.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a double saturates"
    )]
    let deadline = deadline as Micros;
    let longest = deadline.saturating_sub(now);
    Some(Read::State(State::Held { permits, longest }))
}

/// Searches all logs at once: each round trip brings one element of each.
fn search_logs(
    node: &mut Node,
    entries: &mut [Entry],
    mut searches: Vec<(usize, LogSearch)>,
) -> Result<(), CliError> {
    loop {
        let mut commands = Vec::new();
        for (index, search) in &searches {
            let (Some(entry), Some(next)) = (entries.get(*index), search.next()) else {
                continue;
            };
            let mut command = redis::cmd("LINDEX");
            command.arg(&entry.key).arg(next);
            commands.push(command);
        }
        let mut replies = node.calls(&commands)?.into_iter();
        for (index, search) in &mut searches {
            let mut is_foreign = false;
            if search.next().is_some() {
                let raw: Option<Vec<u8>> = replies.next().and_then(as_type);
                let element = raw.as_deref().map(LogElement::decode);
                is_foreign = element == Some(None);
                search.feed(element.flatten());
            }
            if search.next().is_none()
                && let Some(entry) = entries.get_mut(*index)
                && !is_foreign
            {
                entry.state = State::Used(search.usage());
            }
        }
        searches.retain(|(_, search)| search.next().is_some());
        if searches.is_empty() {
            return Ok(());
        }
    }
}

/// A reply as this type; `None` for an error and for another type.
fn as_type<T: FromRedisValue>(reply: Value) -> Option<T> {
    match reply {
        Value::ServerError(_) => None,
        reply => redis::from_redis_value(reply).ok(),
    }
}
