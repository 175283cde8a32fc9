//! Reads the values of keys that a scan has found: which commands are needed, and what their
//! replies say. It sends nothing. The library and the command line send the commands, each by its
//! own client, and pass the replies back.

use super::{
    block::StoredBlock,
    entry::{Counter, EntryState, StoredEntry},
    log::{LogElement, LogSearch},
    margin::EXPIRY_MARGIN,
};
use crate::{
    algorithm::StoredState,
    key::{KeyKind, KeySelection, KeyText},
    limit::Counting,
    time::Micros,
};

#[cfg(test)]
mod tests;

/// A command as its words.
pub type Command = Vec<String>;

/// A reply of Redis.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Nil,
    Number(i64),
    Bytes(Vec<u8>),
    Double(f64),
    List(Vec<Reply>),
    /// A reply of another type, or the error that the key's value is of another type.
    Other,
    /// Another error, as that of a node which the key's slot has left: the key was not read.
    Refused,
}

/// A search for the usage of a log, and the index of its entry.
type Search = (usize, LogSearch);

/// The reading of some keys, in round trips: send the [`commands`](Self::commands), pass their
/// replies to [`feed`](Self::feed), and repeat both until there are no commands.
#[derive(Clone, Debug)]
pub struct StoredReading {
    now: Micros,
    /// The keys that are not read yet.
    unread: Vec<StoredEntry>,
    entries: Vec<StoredEntry>,
    searches: Vec<Search>,
    has_missed: bool,
}

impl StoredReading {
    /// Starts to read the selected ones of these keys, at the server's time `now`.
    pub fn new<'k>(
        keys: impl IntoIterator<Item = &'k str>,
        prefix: &str,
        selection: &KeySelection,
        now: Micros,
    ) -> Self {
        let entry = |key: &'k str| {
            let text = KeyText::parse(key, prefix)?;
            selection.takes_text(&text).then(|| StoredEntry {
                key: key.to_owned(),
                identity: text.identity.to_owned(),
                zone: text.zone.to_owned(),
                kind: text.kind,
                state: EntryState::Unreadable,
                expires: None,
            })
        };
        Self {
            now,
            unread: keys.into_iter().filter_map(entry).collect(),
            entries: Vec::new(),
            searches: Vec::new(),
            has_missed: false,
        }
    }

    /// Returns the commands of the next round trip; none if everything is read.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        let first = self.unread.iter();
        let first = first.flat_map(|entry| commands(&entry.key, entry.kind, self.now));
        let searched = self.searches.iter().filter_map(|(index, search)| {
            let key = &self.entries.get(*index)?.key;
            Some(words(&["LINDEX", key, &search.next()?.to_string()]))
        });
        first.chain(searched).collect()
    }

    /// Takes the replies to [`commands`](Self::commands), in their order.
    pub fn feed(&mut self, replies: impl IntoIterator<Item = Reply>) {
        let mut has_missed = self.has_missed;
        let mut replies = replies
            .into_iter()
            .inspect(|reply| has_missed |= *reply == Reply::Refused);
        let mut searches = Vec::new();
        for mut entry in std::mem::take(&mut self.unread) {
            let expires = expiry(replies.next());
            let read = match entry.kind {
                KeyKind::PermitTable { .. } => permits(replies.next(), replies.next(), self.now),
                kind => single(kind, replies.next(), expires.flatten(), self.now),
            };
            // The key has expired since it was found.
            let (Some(expires), Some(read)) = (expires, read) else {
                continue;
            };
            entry.expires = expires;
            match read {
                Read::State(state) => entry.state = state,
                // The log is empty.
                Read::Log(search) if search.next().is_none() => {
                    entry.state = EntryState::Used(search.usage());
                }
                Read::Log(search) => searches.push((self.entries.len(), search)),
            }
            self.entries.push(entry);
        }
        for (index, search) in &mut self.searches {
            let mut is_foreign = false;
            if search.next().is_some() {
                let reply = replies.next();
                let is_refused = reply == Some(Reply::Refused);
                let element = reply.and_then(bytes);
                let element = element.as_deref().map(LogElement::decode);
                is_foreign = is_refused || element == Some(None);
                search.feed(element.flatten());
            }
            if search.next().is_none()
                && !is_foreign
                && let Some(entry) = self.entries.get_mut(*index)
            {
                entry.state = EntryState::Used(search.usage());
            }
        }
        self.searches.retain(|(_, search)| search.next().is_some());
        self.searches.extend(searches);
        self.has_missed = has_missed;
    }

    /// Returns whether a key could not be read. It has no entry, or an unreadable one.
    #[must_use]
    pub fn has_missed(&self) -> bool {
        self.has_missed
    }

    /// Returns what was read.
    #[must_use]
    pub fn into_entries(self) -> Vec<StoredEntry> {
        self.entries
    }
}

fn words(words: &[&str]) -> Command {
    words.iter().map(ToString::to_string).collect()
}

/// The commands that read a key of this kind: the expiry, then the value.
fn commands(key: &str, kind: KeyKind, now: Micros) -> Vec<Command> {
    let mut commands = vec![words(&["PTTL", key])];
    match kind {
        KeyKind::PermitTable { .. } => {
            commands.push(words(&["ZCOUNT", key, &format!("({now}"), "+inf"]));
            commands.push(words(&["ZRANGE", key, "-1", "-1", "WITHSCORES"]));
        }
        kind if log_window(kind).is_some() => commands.push(words(&["LLEN", key])),
        _ => commands.push(words(&["GET", key])),
    }
    commands
}

/// Returns the window of a counter that is a list; `None` if the key is another one.
fn log_window(kind: KeyKind) -> Option<Micros> {
    let counter = Counter::of(kind)?;
    (counter.counting == Counting::SlidingWindow).then_some(counter.window)
}

/// A decoded value, or a search that needs further commands.
enum Read {
    State(EntryState),
    Log(LogSearch),
}

/// The expiry of a key: `Some(None)` if it has none, and `None` if there is no such key.
fn expiry(reply: Option<Reply>) -> Option<Option<Micros>> {
    match reply? {
        Reply::Number(-1) => Some(None),
        Reply::Number(millis) => Some(Some(u64::try_from(millis).ok()?.saturating_mul(1_000))),
        _ => None,
    }
}

/// Reads the value of a counter or a block, which one command reads. `None`: the key is gone.
fn single(
    kind: KeyKind,
    reply: Option<Reply>,
    expires: Option<Micros>,
    now: Micros,
) -> Option<Read> {
    let unreadable = Some(Read::State(EntryState::Unreadable));
    let reply = reply?;
    if let Some(window) = log_window(kind) {
        return match reply {
            Reply::Number(0) => None,
            Reply::Number(length) => {
                let length = u64::try_from(length).ok()?;
                Some(Read::Log(LogSearch::new(length, window, now)))
            }
            Reply::Refused => None,
            _ => unreadable,
        };
    }
    let raw = match reply {
        Reply::Nil => return None,
        Reply::Bytes(raw) => raw,
        Reply::Refused => return None,
        // The value is a list or the like, where a text should be.
        _ => return unreadable,
    };
    let state = match Counter::of(kind) {
        Some(Counter {
            counting,
            window,
            kept,
        }) => {
            let left = expires.map(|left| left.saturating_sub(EXPIRY_MARGIN + kept));
            let state = StoredState::decode(counting, &mut &raw[..]);
            state.map(|state| EntryState::Used(state.usage(counting, window, now, left)))
        }
        None => match StoredBlock::decode(&raw) {
            // A block that has ended and remembers nothing is not shown: its key expires soon.
            Some(StoredBlock(block)) => Some(EntryState::of_block(&block, now)?),
            None => None,
        },
    };
    Some(Read::State(state.unwrap_or(EntryState::Unreadable)))
}

/// Reads the permits that are held.
fn permits(held: Option<Reply>, last: Option<Reply>, now: Micros) -> Option<Read> {
    let permits = match held? {
        Reply::Number(permits) => permits,
        Reply::Refused => return None,
        _ => return Some(Read::State(EntryState::Unreadable)),
    };
    let permits = u32::try_from(permits).unwrap_or(u32::MAX);
    let Reply::List(last) = last? else {
        return None;
    };
    let deadline = last.last().map_or(0.0, score);
    // Deadlines are whole microseconds below 2^53, which a double holds exactly.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a double saturates"
    )]
    let deadline = deadline as Micros;
    let longest = deadline.saturating_sub(now);
    Some(Read::State(EntryState::Held { permits, longest }))
}

/// Reads a score: a text in the second version of the protocol, and a double beside its member in
/// the third.
fn score(reply: &Reply) -> f64 {
    match reply {
        Reply::Double(score) => *score,
        Reply::Bytes(raw) => std::str::from_utf8(raw)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0.0),
        Reply::List(pair) => pair.last().map_or(0.0, score),
        Reply::Nil | Reply::Number(_) | Reply::Other | Reply::Refused => 0.0,
    }
}

fn bytes(reply: Reply) -> Option<Vec<u8>> {
    match reply {
        Reply::Bytes(raw) => Some(raw),
        _ => None,
    }
}
