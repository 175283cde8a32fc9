//! Scans the keys of a Redis, in steps and within bounds: of one server, or of the masters of a
//! cluster one after the other. No step blocks the server for long, and no command is sent that
//! looks at all keys at once.

use actix_throttle_core::{
    identity::IdentityQuery,
    key::{KeySelection, KeyText},
    stored::{Command, Reply, StoredEntry, StoredReading},
    time::Micros,
};
use redis::{Cmd, Value, from_redis_value};
use tokio::time::Instant;

#[cfg(feature = "cluster")]
use super::connection::owners::Range;
use super::{key_owners::KeyOwners, node::Node, send::CommandList, store::RedisStore};
use crate::engine::store::interface::{ScanBounds, Scanned, StoreError};

/// The number of keys that a step looks at. Redis serves nothing else during a step; at this size
/// that is a few hundred microseconds.
const STEP: u64 = 500;

/// A scan under way.
struct KeyScan<'s> {
    store: &'s RedisStore,
    selection: &'s KeySelection,
    pattern: String,
    bounds: ScanBounds,
    until: Instant,
    /// The nodes that are not scanned yet; the last one is scanned now.
    nodes: Vec<Node>,
    /// In a cluster, which nodes owned which slots when the scan began.
    owners: KeyOwners,
    /// Whether a key was found that the node has no more.
    has_missed: bool,
    cursor: Vec<u8>,
    scanned: Scanned,
}

impl<'s> KeyScan<'s> {
    async fn new(
        store: &'s RedisStore,
        selection: &'s KeySelection,
        bounds: ScanBounds,
    ) -> Result<Self, StoreError> {
        let owners = store.owners().await?;
        Ok(Self {
            store,
            selection,
            pattern: selection.scan_pattern(store.prefix()),
            bounds,
            until: Instant::now() + bounds.max_time,
            nodes: owners.nodes()?,
            owners,
            has_missed: false,
            cursor: b"0".to_vec(),
            scanned: Scanned::default(),
        })
    }

    /// Returns the selected keys of the next step, and the node that has them. `None` at the end of
    /// the scan. A key may come twice.
    async fn step(&mut self) -> Result<Option<(Node, Vec<String>)>, StoreError> {
        let Some(node) = self.nodes.last().cloned() else {
            // A slot may have moved from a node that was scanned later to one that was scanned
            // before, with keys that neither scan has seen.
            let owners = self.store.owners().await?;
            self.scanned.is_complete = !self.has_missed && owners == self.owners;
            return Ok(None);
        };
        let left = self.bounds.max_keys.saturating_sub(self.scanned.looked_at);
        if left == 0 || Instant::now() >= self.until {
            return Ok(None);
        }
        let step = STEP.min(left);
        let mut command = redis::cmd("SCAN");
        command.arg(&self.cursor).arg("MATCH").arg(&self.pattern);
        command.arg("COUNT").arg(step);
        let reply = self.store.call(&node, command).await?;
        let reply: Result<(Vec<u8>, Vec<Vec<u8>>), _> = from_redis_value(reply);
        let (cursor, found) = reply.map_err(|error| StoreError::new(error.to_string()))?;
        self.scanned.looked_at += step;
        if cursor == b"0" {
            self.nodes.pop();
        }
        self.cursor = cursor;
        // Keys of this library are ASCII but for their prefix and zone, which are UTF-8.
        let found = found.into_iter().map(String::from_utf8);
        let prefix = self.store.prefix();
        let is_selected = |key: &String| {
            let text = KeyText::parse(key, prefix);
            text.is_some_and(|text| self.selection.takes_text(&text))
        };
        let found = found.filter_map(Result::ok).filter(is_selected);
        Ok(Some((node, found.collect())))
    }
}

impl RedisStore {
    /// Deletes the selected keys.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it has deleted some of them.
    pub(super) async fn scan_and_delete(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        let mut scan = KeyScan::new(self, selection, bounds).await?;
        loop {
            let done = self.delete_step(&mut scan).await;
            let deleted = scan.scanned.deleted;
            match done {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if deleted == 0 => return Err(error),
                Err(error) => {
                    return Err(error.after_deleting(deleted));
                }
            }
        }
        Ok(scan.scanned)
    }

    /// Deletes the keys of one step. Returns `false` at the end of the scan.
    async fn delete_step(&self, scan: &mut KeyScan<'_>) -> Result<bool, StoreError> {
        let Some((node, keys)) = scan.step().await? else {
            return Ok(false);
        };
        // Each key has a command of its own, because in a cluster they are in different slots.
        // `UNLINK` frees the memory of a long list outside of the server's main thread.
        let commands = keys.iter().map(|key| {
            let mut command = redis::cmd("UNLINK");
            command.arg(key);
            command
        });
        let mut error = None;
        for reply in self.calls(&node, commands.collect()).await? {
            match reply {
                Value::Int(deleted) => {
                    scan.scanned.deleted += u64::try_from(deleted).unwrap_or(0);
                }
                // The slot has moved to a node that may have been scanned before.
                Value::ServerError(error) if matches!(error.code(), "MOVED" | "ASK") => {
                    scan.has_missed = true;
                }
                // The replies after it count too: those keys are deleted.
                reply => error = error.or(reply.extract_error().err()),
            }
        }
        error.map_or(Ok(true), |error| Err(refused(error)))
    }

    /// Reads what is counted for an identity.
    pub(super) async fn scan_identity(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> Result<(Vec<StoredEntry>, Scanned), StoreError> {
        let texts = who.texts(self.executor.upkeep().naming.plain);
        let selection = KeySelection::all().with_permits().of_identity(texts);
        let mut scan = KeyScan::new(self, &selection, bounds).await?;
        let mut entries: Vec<StoredEntry> = Vec::new();
        while let Some((node, keys)) = scan.step().await? {
            if keys.is_empty() {
                continue;
            }
            let reading = self.read(&node, &selection, &keys).await?;
            scan.has_missed |= reading.has_missed();
            for entry in reading.into_entries() {
                if entries.iter().all(|known| known.key != entry.key) {
                    entries.push(entry);
                }
            }
        }
        Ok((entries, scan.scanned))
    }

    async fn read(
        &self,
        node: &Node,
        selection: &KeySelection,
        keys: &[String],
    ) -> Result<StoredReading, StoreError> {
        let now = self.time(node).await?;
        let keys = keys.iter().map(String::as_str);
        let mut reading = StoredReading::new(keys, self.prefix(), selection, now);
        loop {
            let commands: Vec<Cmd> = reading.commands().iter().map(command).collect();
            if commands.is_empty() {
                return Ok(reading);
            }
            let replies = self.calls(node, commands).await?;
            if let Some(error) = replies.iter().find_map(refusal) {
                return Err(error);
            }
            reading.feed(replies.into_iter().map(reply));
        }
    }

    /// Returns the time by which the script decides.
    async fn time(&self, node: &Node) -> Result<Micros, StoreError> {
        if let Some((now, _)) = self.context().now {
            return Ok(now);
        }
        let reply = self.call(node, redis::cmd("TIME")).await?;
        let (seconds, micros): (u64, u64) =
            from_redis_value(reply).map_err(|error| StoreError::new(error.to_string()))?;
        Ok(seconds.saturating_mul(1_000_000).saturating_add(micros))
    }

    /// Asks which servers hold the keys.
    async fn owners(&self) -> Result<KeyOwners, StoreError> {
        #[cfg(feature = "cluster")]
        if self.executor.upkeep().pool.is_cluster() {
            let mut slots = redis::cmd("CLUSTER");
            slots.arg("SLOTS");
            let list = CommandList::new(&Node::One, vec![slots], false);
            let slots = self.executor.send_list(&list).await?.pop();
            return Ok(KeyOwners::Ranges(Range::all(&slots.unwrap_or(Value::Nil))));
        }
        Ok(KeyOwners::OneServer)
    }

    fn prefix(&self) -> &str {
        &self.executor.upkeep().naming.prefix
    }

    /// Sends a command that is about no key.
    async fn call(&self, node: &Node, command: Cmd) -> Result<Value, StoreError> {
        let list = CommandList::new(node, vec![command], false);
        let reply = self.executor.send_list(&list).await?.pop();
        reply.unwrap_or(Value::Nil).extract_error().map_err(refused)
    }

    /// Sends commands about one key each. The error of one is its reply.
    async fn calls(&self, node: &Node, commands: Vec<Cmd>) -> Result<Vec<Value>, StoreError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let list = CommandList::new(node, commands, true);
        self.executor.send_list(&list).await
    }
}

/// The error of a command that the server has refused, which says nothing about the store.
fn refused(error: redis::RedisError) -> StoreError {
    StoreError::misuse(match error.code() {
        Some("NOPERM") => {
            format!("{error}; the guide's chapter `redis_acl` lists the commands that this needs")
        }
        _ => error.to_string(),
    })
}

/// The error in a reply to a command that this user may not send.
fn refusal(reply: &Value) -> Option<StoreError> {
    match reply {
        Value::ServerError(error) if error.code() == "NOPERM" => {
            Some(refused(error.clone().into()))
        }
        _ => None,
    }
}

fn command(words: &Command) -> Cmd {
    let mut command = Cmd::new();
    command.arg(words);
    command
}

fn reply(value: Value) -> Reply {
    match value {
        Value::Nil => Reply::Nil,
        Value::Int(number) => Reply::Number(number),
        Value::BulkString(raw) => Reply::Bytes(raw),
        Value::Double(number) => Reply::Double(number),
        Value::Array(list) => Reply::List(list.into_iter().map(reply).collect()),
        Value::ServerError(error) if error.code() != "WRONGTYPE" => Reply::Refused,
        _ => Reply::Other,
    }
}
