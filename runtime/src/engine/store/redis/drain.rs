//! The drain loop of a batch key: seals batches, sends their calls and delivers the outcomes. The
//! executor starts it. It sends a call again only after a reply that says that nothing was done.

use std::{
    pin::{Pin, pin},
    sync::Arc,
};

use futures_util::future::{OptionFuture, join};
use redis::{RedisError, Value};
use tokio::time::{Instant, timeout};

#[cfg(feature = "cluster")]
use super::reply;
use super::{
    batch::{Batch, BatchKey},
    batch_call::BatchCall,
    connection::{guard::ConnectionGuard, worker::WorkerConnection},
    executor::{Executor, Late},
    in_flight::SealedCall,
    plain::next_step::NextStep,
    send::{NotSent, RedisRequest, bytes, call_outcome},
};
use crate::engine::{observe::Event, store::interface::StoreError};

/// A drain loop waits `deadline / OVERLAP` for its call; then the next batch may overtake the call.
const OVERLAP: u32 = 8;

impl Executor {
    /// The drain loop of a batch key: sends batch after batch until none is left. Seals a batch
    /// once there is a connection, so requests that have left by then are not in it. A second loop
    /// takes over after `deadline / OVERLAP`, against head-of-line blocking: the next batch to a
    /// distant Redis goes out while the call is in flight.
    ///
    /// # Cancel safety
    ///
    /// Only the end of its runtime drops it. The requests of the batch then get an error, although
    /// a call that was sent may be carried out.
    pub(super) async fn drain(
        self: Arc<Self>,
        connection: Arc<WorkerConnection>,
        batch_key: BatchKey,
    ) {
        loop {
            let guard = connection.checkout().await;
            let Some(batch) = connection.queue.next(batch_key) else {
                return;
            };
            let mut sending = pin!(self.send_batch(&connection, batch_key, batch, guard));
            let overlap_after = self.upkeep().deadline / OVERLAP;
            if timeout(overlap_after, sending.as_mut()).await.is_ok() {
                continue;
            }
            let Some(_overlap) = connection.overlap() else {
                sending.await;
                continue;
            };
            let (executor, next) = (Arc::clone(&self), Arc::clone(&connection));
            tokio::spawn(boxed(executor, next, batch_key));
            sending.await;
            return;
        }
    }

    /// Sends a full batch while another call of its batch key is in flight.
    ///
    /// # Cancel safety
    ///
    /// Only the end of its runtime drops it. The requests of the batch then get an error, although
    /// a call that was sent may be carried out.
    pub(super) async fn send_full_batch(&self, connection: &WorkerConnection, batch_key: BatchKey) {
        let guard = connection.checkout().await;
        if let Some(batch) = connection.queue.take(batch_key) {
            self.send_batch(connection, batch_key, batch, guard).await;
        }
    }

    /// Seals and sends a batch. Its two calls, if it has two, go out in one write.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, each of the calls may be carried out or not. Their requests
    /// get an error.
    async fn send_batch(
        &self,
        connection: &WorkerConnection,
        batch_key: BatchKey,
        batch: Batch,
        guard: Result<ConnectionGuard, RedisError>,
    ) {
        let (first, second) = match batch.seal(&self.context()) {
            [None, None] => return,
            [Some(only), None] | [None, Some(only)] => (only, None),
            [Some(plain), Some(general)] => (plain, Some(general)),
        };
        // The second call is boxed, because most batches are one call.
        let second = second.map(|second| {
            Box::pin(async move {
                let guard = connection.checkout().await;
                self.send_call(connection, batch_key, second, guard).await;
            })
        });
        let first = self.send_call(connection, batch_key, first, guard);
        join(first, OptionFuture::from(second)).await;
    }

    /// Sends a call, and delivers the outcomes to its requests.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the call may be carried out. Its requests get an error.
    async fn send_call(
        &self,
        connection: &WorkerConnection,
        #[cfg_attr(not(feature = "cluster"), expect(unused_variables))] batch_key: BatchKey,
        (mut call, sent): SealedCall,
        mut guard: Result<ConnectionGuard, RedisError>,
    ) {
        #[cfg(feature = "cluster")]
        if matches!(batch_key, BatchKey::Slot(slot) if self.open_slots.contains(slot)) {
            return sent.fail(&StoreError::migrating());
        }
        sent.trace_size();
        if let BatchCall::Plain(plain) = &mut call
            && self.block_watch.is_on()
        {
            plain.name_blocks();
        }
        let mut replied_on = None;
        let reply = loop {
            let checked_out = match guard {
                Ok(checked_out) => checked_out,
                Err(error) => break Err(StoreError::new(error.to_string())),
            };
            let late = if checked_out.is_cluster() {
                Late::Abandoned
            } else {
                Late::Awaited
            };
            let request = match &call {
                BatchCall::Plain(call) => RedisRequest::Plain(call),
                BatchCall::General(call) => RedisRequest::Call(call),
            };
            let (called, discard) = (Instant::now(), checked_out.discarder());
            let attempt = self
                .attempt(checked_out, self.deadline(), late, request)
                .await;
            self.tell_called(&attempt, sent.size(), called);
            match attempt {
                Ok(reply) => {
                    let reply = reply.and_then(bytes);
                    let step = reply
                        .as_deref()
                        .map_or(NextStep::Decided, |reply| call.next_step(reply));
                    match step {
                        NextStep::Decided => {
                            replied_on = Some(discard);
                            break reply;
                        }
                        // Nothing is charged for requests that have left meanwhile.
                        _ if !sent.is_awaited() => return,
                        NextStep::NameBlocks => self.block_watch.renew(),
                        NextStep::General => {}
                    }
                    call = call.follow_up(step, &self.context());
                    guard = connection.checkout().await;
                }
                Err(NotSent) if !sent.is_awaited() => return,
                Err(NotSent) => guard = connection.checkout().await,
            }
        };
        #[cfg(feature = "cluster")]
        if let (BatchKey::Slot(slot), Ok(reply::MIGRATING)) = (batch_key, reply.as_deref()) {
            self.open_slots.add(slot);
        }
        let delivered = sent.deliver(&call, reply);
        if delivered.is_err_and(|error| error.is_malformed())
            && let Some(discard) = replied_on
        {
            // The replies that follow on the connection may be those of other calls.
            discard();
        }
    }
}

impl Executor {
    /// Tells the observers of a call that has left this process.
    fn tell_called(
        &self,
        attempt: &Result<Result<Value, StoreError>, NotSent>,
        batch_size: usize,
        called: Instant,
    ) {
        let Ok(reply) = attempt else {
            return;
        };
        self.observers.tell(|| Event::StoreCalled {
            outcome: call_outcome(reply),
            batch_size,
            time: called.elapsed(),
        });
    }
}

/// Returns a drain loop, which is boxed because its future would otherwise contain itself.
fn boxed(
    executor: Arc<Executor>,
    connection: Arc<WorkerConnection>,
    batch_key: BatchKey,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(executor.drain(connection, batch_key))
}
