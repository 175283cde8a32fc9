//! Calls to a cluster, whose slots may be on their way from one node to another.
//!
//! While a slot is open, a node that does not have the one key of a call says `ASK`, and the caller
//! goes on to the node that has it, or will. A call of several keys is refused with `TRYAGAIN`
//! where only some are there. On that the cluster's client waits without a word, for longer than a
//! request may, and then sends the call again. So a call of several keys that has no answer soon is
//! called off: its once-key is set, which lets it do nothing whenever it is sent. If that is
//! answered while the call is not, the node is well and the keys are the reason.

use std::{
    collections::HashMap,
    pin::pin,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use foldhash::fast::FixedState;
use parking_lot::Mutex;
use redis::{
    Cmd, ErrorKind, RedisError, ServerErrorKind, Value, cluster_routing::Slot, from_redis_value,
};
use tokio::{
    select,
    time::{Instant, sleep, timeout},
};

use super::{connection::Connection, reply, script::Call};

/// For so long a slot is taken to be open that was found to be.
const OPEN: Duration = Duration::from_secs(5);
/// The longest that a call of several keys is waited for before it is called off; to a distant
/// cluster twice its latest round trip, if that is longer.
const PATIENCE: Duration = Duration::from_millis(20);
/// The shortest, in parts of the deadline.
const PATIENCE_OF_DEADLINE: u32 = 8;

/// How long a call may take to be called off, in patiences.
const CALLING_OFF: u32 = 4;

/// How long a cluster took for the latest call that it answered.
#[derive(Debug, Default)]
pub(super) struct Pace(AtomicU64);

impl Pace {
    fn patience(&self, deadline: Duration) -> Duration {
        let latest = Duration::from_micros(self.0.load(Ordering::Relaxed));
        PATIENCE
            .min(deadline / PATIENCE_OF_DEADLINE)
            .max(latest * 2)
    }

    fn answered(&self, since: Instant) {
        let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.0.store(micros, Ordering::Relaxed);
    }
}

/// Carries out a call. [`reply::MIGRATING`] stands for one that was refused for where its keys are.
pub(super) async fn exchange(
    call: &Call,
    connection: &mut Connection,
    deadline: Duration,
) -> Result<Vec<u8>, RedisError> {
    if call.only_key().is_some() {
        return carry_out(call, connection).await;
    }
    let mut beside = connection.clone();
    let pace = connection.pace();
    let patience = pace.as_deref().map(|pace| pace.patience(deadline));
    let patience = patience.unwrap_or(PATIENCE);
    let start = Instant::now();
    let mut sending = pin!(carry_out(call, connection));
    let mut is_refused = false;
    loop {
        let calling_off = async {
            sleep(patience).await;
            timeout(patience * CALLING_OFF, call_off(call, &mut beside)).await
        };
        select! {
            biased;
            reply = sending.as_mut(), if !is_refused => match reply {
                // It may have been carried out all the same, before its connection broke.
                Err(error) if is_about_keys(&error) => is_refused = true,
                reply => {
                    if let (Some(pace), Ok(_)) = (pace, &reply) {
                        pace.answered(start);
                    }
                    return reply;
                }
            },
            called_off = calling_off => match called_off {
                Ok(Ok(true)) => return Ok(reply::MIGRATING.into()),
                // As the script answers the second time, if the first answer was lost.
                Ok(Ok(false)) if is_refused => return Ok(Vec::new()),
                Ok(Ok(false)) => {
                    return timeout(patience, sending).await.unwrap_or(Ok(Vec::new()));
                }
                // It is tried again.
                Ok(Err(_)) | Err(_) => {}
            },
        }
    }
}

/// Whether the client has given up a call for where its keys are.
fn is_about_keys(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, Moved, TryAgain};
    matches!(error.kind(), ErrorKind::Server(Ask | Moved | TryAgain))
}

async fn carry_out(call: &Call, connection: &mut Connection) -> Result<Vec<u8>, RedisError> {
    let reply = match send(call, call.by_hash(), connection).await {
        // Nothing was done yet.
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            send(call, call.by_source(), connection).await?
        }
        reply => reply?,
    };
    Ok(from_redis_value(reply)?)
}

async fn send(call: &Call, command: Cmd, connection: &mut Connection) -> Result<Value, RedisError> {
    match call.only_key() {
        Some(key) => connection.ask(key, command).await,
        None => connection.send_to_slot(call.first_key(), command).await,
    }
}

/// Sees to it that a call does nothing that has done nothing yet. `false`: it has, so there is or
/// was an answer to it.
async fn call_off(call: &Call, connection: &mut Connection) -> Result<bool, RedisError> {
    let Some(once) = call.once_key() else {
        // It changes nothing whenever it is sent.
        let key = call.first_key();
        let mut command = redis::cmd("PTTL");
        command.arg(key);
        connection.ask(key, command).await?;
        return Ok(true);
    };
    let mut command = redis::cmd("SET");
    command
        .arg(once)
        .arg("")
        .arg("NX")
        .arg("PX")
        .arg(call.life());
    let set: Option<String> = from_redis_value(connection.ask(once, command).await?)?;
    Ok(set.is_some())
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
