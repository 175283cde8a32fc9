//! Calls to a cluster whose slots may be on their way from one node to another.
//!
//! While a slot is being migrated ("open"), a node that lacks the one key of a call replies `ASK`,
//! and the call goes on to the node that has the key or will have it. A call of several keys is
//! refused with `TRYAGAIN` if only some of them are there. The cluster client then waits silently,
//! longer than a request may, and sends the call again. So a call of several keys that has no reply
//! soon is called off: its idempotency key is set in Redis, and then the call does nothing whenever
//! it arrives. If Redis replies to that but not to the call, the node is well and the migration is
//! the reason.

use std::{
    collections::HashMap,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
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

use crate::engine::store::redis::{
    connection::{connection::Connection, pace::MAX_WAIT},
    reply,
    script_call::ScriptCall,
};

/// The time for which a slot counts as open after it was found open.
const OPEN: Duration = Duration::from_secs(5);
/// The value of the idempotency key of a call that was called off. That of a call that was carried
/// out is empty.
const CALLED_OFF: &str = "off";
/// The longest time for calling off, as a multiple of the wait before it.
const CALLING_OFF: u32 = 4;

/// Carries out a call. Returns [`reply::MIGRATING`] if the call was refused because of where its
/// keys are, and an empty reply if the call was carried out and its reply is lost.
///
/// # Cancel safety
///
/// If the future is dropped midway, the call may still be carried out.
pub(crate) async fn exchange(
    call: &dyn ScriptCall,
    connection: &mut Connection,
    deadline: Duration,
) -> Result<Vec<u8>, RedisError> {
    if call.only_key().is_some() {
        return carry_out(call, connection).await;
    }
    let mut beside = connection.clone();
    let pace = connection.pace();
    let wait = pace.as_deref().map(|pace| pace.longest_wait(deadline));
    let wait = wait.unwrap_or(MAX_WAIT);
    let start = Instant::now();
    let mut sending = pin!(carry_out(call, connection));
    let late = async {
        sleep(wait).await;
        call_off_at_last(call, &mut beside, wait).await
    };
    select! {
        biased;
        reply = sending.as_mut() => match reply {
            // The call may have been carried out before, when a connection broke after it was sent.
            Err(error) if is_about_keys(&error) => {}
            // The script's reply to a repeated call, and to one that was called off before it came.
            Ok(reply) if reply.is_empty() => {}
            reply => {
                if let (Some(pace), Ok(_)) = (pace, &reply) {
                    pace.record_reply(start);
                }
                return reply;
            }
        },
        called_off = late => return if called_off {
            Ok(reply::MIGRATING.into())
        } else {
            // The call was carried out, so there is or was a reply to it.
            timeout(wait, sending).await.unwrap_or(Ok(Vec::new()))
        },
    }
    // The call is called off at once, because no other reply to it will come.
    Ok(if call_off_at_last(call, &mut beside, wait).await {
        reply::MIGRATING.into()
    } else {
        // The first reply is lost.
        Vec::new()
    })
}

/// Whether the client has given up a call because of where its keys are.
fn is_about_keys(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, Moved, TryAgain};
    matches!(error.kind(), ErrorKind::Server(Ask | Moved | TryAgain))
}

async fn carry_out(
    call: &dyn ScriptCall,
    connection: &mut Connection,
) -> Result<Vec<u8>, RedisError> {
    let reply = match send(call, call.by_hash(), connection).await {
        // `NOSCRIPT` says that nothing was done yet.
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            send(call, call.by_source(), connection).await?
        }
        reply => reply?,
    };
    Ok(from_redis_value(reply)?)
}

async fn send(
    call: &dyn ScriptCall,
    command: Cmd,
    connection: &mut Connection,
) -> Result<Value, RedisError> {
    match call.only_key() {
        Some(key) => connection.ask(key, command).await,
        None => connection.send_to_slot(call.first_key(), command).await,
    }
}

/// Calls a call off as [`call_off`] does, again and again until Redis says whether it was. Between
/// two attempts it waits.
async fn call_off_at_last(
    call: &dyn ScriptCall,
    connection: &mut Connection,
    wait: Duration,
) -> bool {
    loop {
        let called_off = timeout(wait * CALLING_OFF, call_off(call, connection));
        if let Ok(Ok(called_off)) = called_off.await {
            return called_off;
        }
        sleep(wait).await;
    }
}

/// Calls a call off that has done nothing yet, so that it never will. Returns `false` if the call
/// was carried out, so that there is or was a reply to it.
async fn call_off(call: &dyn ScriptCall, connection: &mut Connection) -> Result<bool, RedisError> {
    let Some(idempotency_key) = call.idempotency_key() else {
        // The call changes nothing whenever it arrives. Asking for a key shows whether the node is
        // well.
        let key = call.first_key();
        let mut command = redis::cmd("PTTL");
        command.arg(key);
        connection.ask(key, command).await?;
        return Ok(true);
    };
    let mut command = redis::cmd("SET");
    command
        .arg(idempotency_key)
        .arg(CALLED_OFF)
        .arg("NX")
        .arg("PX")
        .arg(call.ttl());
    let set: Option<String> = from_redis_value(connection.ask(idempotency_key, command).await?)?;
    if set.is_some() {
        return Ok(true);
    }
    // Either the call was carried out, or an earlier attempt to call it off was, whose reply was
    // too late.
    let mut command = redis::cmd("MGET");
    command.arg(idempotency_key);
    let values: Vec<Option<String>> =
        from_redis_value(connection.ask(idempotency_key, command).await?)?;
    Ok(values.first().and_then(Option::as_deref) == Some(CALLED_OFF))
}

/// Slots that were found open a moment ago, so that calls of several of their keys need not be
/// tried.
#[derive(Debug, Default)]
pub(crate) struct OpenSlots {
    /// The number of slots in `since`. Every decision reads it without the lock, and most find 0.
    /// `Relaxed`: a stale number costs a refused call or a lock, and no more.
    count: AtomicUsize,
    since: Mutex<HashMap<Slot, Instant, FixedState>>,
}

impl OpenSlots {
    pub(crate) fn add(&self, slot: Slot) {
        let mut since = self.since.lock();
        since.retain(|_, since| since.elapsed() < OPEN);
        since.insert(slot, Instant::now());
        self.count.store(since.len(), Ordering::Relaxed);
    }

    pub(crate) fn contains(&self, slot: Slot) -> bool {
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
