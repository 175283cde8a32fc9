//! The executor sends script calls and commands to Redis, over the current worker's connection and
//! within a deadline. The store calls it. It sends nothing again that may have been carried out.

use std::{pin::pin, sync::Arc, time::Duration};

use actix_throttle_core::{
    check::{Check, Outcomes},
    time::Micros,
};
use redis::{Cmd, Value};
use tokio::{runtime::Handle, time::Instant};
use tracing::Instrument;

#[cfg(feature = "cluster")]
use super::cluster::migration::OpenSlots;
use super::{
    batch::{BatchKey, Dispatch},
    block_watch::BlockWatch,
    connection::{
        guard::{ConnectionGuard, Reach},
        reconnect::Upkeep,
        worker::WorkerConnections,
    },
    lateness::{Expired, unless, within},
    script::{Call, CallContext},
    send::{CommandList, NotSent, RedisRequest, bytes, call_outcome},
};
#[cfg(feature = "test-util")]
use crate::engine::clock::ManualClock;
use crate::engine::{
    observe::{Observers, record_outcome, store_span},
    store::{circuit_breaker::Circuit, interface::StoreError},
};

/// The shortest deadline for a step of a scan.
const SCAN_STEP: Duration = Duration::from_secs(1);

/// The connections to Redis, and what sends on them.
#[derive(Debug)]
pub(super) struct Executor {
    pub(super) connections: WorkerConnections,
    pub(super) block_watch: BlockWatch,
    pub(super) observers: Observers,
    #[cfg(feature = "cluster")]
    pub(super) open_slots: OpenSlots,
    #[cfg(feature = "test-util")]
    pub(super) clock: Option<ManualClock>,
}

/// The executor's choices for a call that has no reply within its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// It waits until the connection is replaced, because a late reply may prove that Redis is
    /// back. Checks behind the call are not sent meanwhile, so requests that leave are not charged.
    Awaited,
    /// It gives up: the caller has its own deadline, or other requests must not wait for the call.
    Abandoned,
}

impl Executor {
    pub(super) fn upkeep(&self) -> &Upkeep {
        self.connections.upkeep()
    }

    fn circuit(&self) -> &Circuit {
        &self.upkeep().circuit
    }

    /// The deadline of a decision that begins now.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.upkeep().deadline
    }

    pub(super) fn context(&self) -> CallContext<'_> {
        CallContext {
            naming: &self.upkeep().naming,
            hasher: &self.upkeep().hasher,
            now: self.now(),
            #[cfg(feature = "cluster")]
            remember_for: self.remember_for(),
        }
    }

    /// See [`CallContext::now`].
    fn now(&self) -> Option<(Micros, Micros)> {
        #[cfg(feature = "test-util")]
        let now = self.clock.as_ref().map(ManualClock::of_store_and_process);
        #[cfg(not(feature = "test-util"))]
        let now = None;
        now
    }

    /// Decides `checks`, in one batch of `batch_key` with other requests' checks.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before the batch is sealed, it charges nothing; later, it may have
    /// charged.
    pub(super) async fn decide(
        self: &Arc<Self>,
        batch_key: BatchKey,
        checks: &[Check<'_>],
        deadline: Instant,
    ) -> Result<Outcomes, StoreError> {
        let runtime = runtime()?;
        let connection = self.connections.of(&runtime);
        let span = store_span();
        let (outcomes, task) =
            connection
                .queue
                .add(batch_key, checks, &self.context(), span.clone());
        let executor = Arc::clone(self);
        match task {
            Dispatch::Queued => {}
            // The loop is spawned, because other requests need the call even if this client leaves.
            // The task also runs after the requests that are ready now, so all of them go out
            // together.
            Dispatch::DrainLoop => {
                runtime.spawn(executor.drain(connection, batch_key));
            }
            Dispatch::SendOne => {
                runtime
                    .spawn(async move { executor.send_full_batch(&connection, batch_key).await });
            }
        }
        let outcomes = pin!(outcomes);
        let outcomes = within(deadline, outcomes).instrument(span.clone());
        let outcomes = match outcomes.await {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(_)) => Err(StoreError::new(
                "the task that calls Redis ended with its runtime; call the limiter on a runtime \
                 that goes on",
            )),
            Err(expired) => Err(self.deadline_passed(expired)),
        };
        record_outcome(&span, call_outcome(&outcomes));
        outcomes
    }

    pub(super) async fn run(&self, call: &Call, deadline: Instant) -> Result<Vec<u8>, StoreError> {
        let reply = self.perform(RedisRequest::Call(call), deadline).await;
        reply.and_then(bytes)
    }

    pub(super) async fn send(&self, command: &Cmd) -> Result<(), StoreError> {
        let done = self.perform(RedisRequest::Command(command), self.deadline());
        done.await.map(drop)
    }

    /// Sends commands to one node. The error of one is its reply. They get a second at least: a
    /// scan is no decision, and a server that is slow with it may be well.
    pub(super) async fn send_list(&self, list: &CommandList) -> Result<Vec<Value>, StoreError> {
        let deadline = Instant::now() + self.upkeep().deadline.max(SCAN_STEP);
        match self.perform(RedisRequest::List(list), deadline).await? {
            Value::Array(replies) => Ok(replies),
            _ => Err(StoreError::nothing()),
        }
    }

    /// Sends a request, and sends it again only if it never left this process.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the request may still have its effect.
    async fn perform(
        &self,
        request: RedisRequest<'_>,
        deadline: Instant,
    ) -> Result<Value, StoreError> {
        let connection = self.connections.of(&runtime()?);
        loop {
            let guard = within(deadline, pin!(connection.checkout()))
                .await
                .map_err(|expired| self.deadline_passed(expired))?
                .map_err(|error| StoreError::new(error.to_string()))?;
            let reply = self
                .attempt(guard, deadline, Late::Abandoned, request)
                .await;
            if let Ok(reply) = reply {
                return reply;
            }
        }
    }

    /// Sends a request, and tells the connection and the circuit breaker how that went.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the request may still have its effect. The connection and
    /// the circuit breaker then hear nothing of it.
    pub(super) async fn attempt(
        &self,
        mut guard: ConnectionGuard,
        mut deadline: Instant,
        late: Late,
        request: RedisRequest<'_>,
    ) -> Result<Result<Value, StoreError>, NotSent> {
        let sent = Instant::now();
        let mut connection = guard.connection.clone();
        let mut is_late = false;
        let outcome = {
            let superseded = pin!(guard.superseded());
            let reply = pin!(request.send(&mut connection, self.upkeep().deadline));
            let mut outcome = pin!(unless(superseded, reply));
            loop {
                match within(deadline, outcome.as_mut()).await {
                    // This process was late, not Redis: Redis gets its full time now.
                    Err(Expired::OwnLateness) if late == Late::Awaited => {
                        deadline = self.deadline();
                    }
                    Err(Expired::Silence) if late == Late::Awaited => {
                        self.report(guard.late(sent), self.late());
                        is_late = true;
                        break Ok(outcome.await);
                    }
                    ended => break ended,
                }
            }
        };
        // The handle is the one that was used, because a cluster handle remembers its latest key.
        guard.connection = connection;
        Ok(match outcome {
            Ok(Some(Err(NotSent))) => {
                guard.was_closed();
                return Err(NotSent);
            }
            Ok(Some(Ok(Ok(done)))) => {
                guard.replied();
                if is_late {
                    self.circuit().replied_late();
                } else {
                    self.circuit().decided();
                }
                Ok(done)
            }
            Ok(Some(Ok(Err(error)))) => {
                let reach = guard.failed(&error, sent);
                Err(self.report(reach, StoreError::new(error.to_string())))
            }
            // The connection was replaced, so the reply is lost.
            Ok(None) | Err(Expired::OwnLateness) => Err(self.late()),
            Err(Expired::Silence) => Err(self.report(guard.late(sent), self.late())),
        })
    }

    /// Tells the circuit breaker of a failure, if it is one of the whole store.
    fn report(&self, reach: Reach, error: StoreError) -> StoreError {
        if let Reach::Store(began) = reach {
            self.circuit().incident(began, &error);
        }
        error
    }

    fn deadline_passed(&self, expired: Expired) -> StoreError {
        let late = self.late();
        if expired == Expired::Silence {
            self.circuit().deadline_passed(&late);
        }
        late
    }

    fn late(&self) -> StoreError {
        StoreError::late(self.upkeep().deadline)
    }
}

/// The caller's tokio runtime, which timers and connections need; an error if there is none.
fn runtime() -> Result<Handle, StoreError> {
    Handle::try_current().map_err(|error| StoreError::misuse(error.to_string()))
}
