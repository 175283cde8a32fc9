//! Calls to a cluster, whose slots may be on their way from one node to another.
//!
//! While a slot is open, a node that does not have the one key of a call says `ASK`, and the client
//! goes on to the node that has it, or will. A call of several keys is refused with `TRYAGAIN` where
//! only some are there, on which the client waits for more than a second: longer than a request may.
//! So a call names one key to the node, and the script finds out whether the others are there too. If
//! they are not, it does nothing and says so.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use foldhash::fast::FixedState;
use parking_lot::Mutex;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, cluster_routing::Slot, from_redis_value};
use tokio::time::Instant;

use super::{connection::Connection, reply, script::Call};

/// For so long a slot is taken to be open that was found to be.
const OPEN: Duration = Duration::from_secs(1);

/// Carries out a call. [`reply::MIGRATING`] stands for one that was refused for where its keys are.
pub(super) async fn exchange(
    call: &Call,
    connection: &mut Connection,
) -> Result<Vec<u8>, RedisError> {
    let answer = match send(call, call.by_hash(), connection).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            send(call, call.by_source(), connection).await
        }
        answer => answer,
    };
    let answer = match answer {
        // The client has followed these as often as it does. Nothing was done.
        Err(error) if is_about_places(&error) && call.names_several() => reply::MIGRATING.to_vec(),
        answer => answer?,
    };
    if answer == reply::MIGRATING && was_carried_out(call, connection).await? {
        // As the script answers the second time.
        return Ok(Vec::new());
    }
    Ok(answer)
}

async fn send(
    call: &Call,
    command: Cmd,
    connection: &mut Connection,
) -> Result<Vec<u8>, RedisError> {
    match call.only_key() {
        Some(key) => Ok(from_redis_value(connection.ask(key, command).await?)?),
        None => command.query_async(connection).await,
    }
}

/// Whether a call was refused for where its keys are.
fn is_about_places(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(
            ServerErrorKind::TryAgain | ServerErrorKind::Ask | ServerErrorKind::Moved
        )
    )
}

/// Slots that were found open a moment ago: calls of several of their keys need not be tried.
#[derive(Debug, Default)]
pub(super) struct OpenSlots {
    /// Read by every decision, and most find none.
    count: AtomicUsize,
    since: Mutex<HashMap<Slot, Instant, FixedState>>,
}

impl OpenSlots {
    pub(super) fn add(&self, slot: Slot) {
        let mut since = self.since.lock();
        since.retain(|_, since| since.elapsed() < OPEN);
        since.insert(slot, Instant::now());
        self.count.store(since.len(), Ordering::Relaxed);
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        if self.count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let mut since = self.since.lock();
        let is_open = since.get(&slot).is_some_and(|since| since.elapsed() < OPEN);
        if !is_open && since.remove(&slot).is_some() {
            self.count.store(since.len(), Ordering::Relaxed);
        }
        is_open
    }
}

/// Whether an earlier try of this call has been carried out, before its connection broke. Once a call
/// was refused for its places, no try that is still under way can be: its once-key is nowhere.
async fn was_carried_out(call: &Call, connection: &mut Connection) -> Result<bool, RedisError> {
    let Some(key) = call.once_key() else {
        return Ok(false);
    };
    // A write, which no replica answers.
    let mut command = redis::cmd("PEXPIRE");
    command.arg(key).arg(call.life());
    Ok(from_redis_value(connection.ask(key, command).await?)?)
}
