//! The way to the servers: over this worker's connection, within a deadline.

use std::{
    pin::{Pin, pin},
    sync::Arc,
};

use redis::{Cmd, RedisError, Value};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout},
};

use super::{
    batch::{Batch, Dispatch, Lane},
    connection_guard::{ConnectionGuard, Reach},
    keeper::Upkeep,
    lateness::{Expired, unless, within},
    script::{Call, CallContext},
    send::{NotSent, Request, bytes},
    worker_connection::{WorkerConnection, WorkerConnections},
};
#[cfg(feature = "cluster")]
use super::{migration::OpenSlots, reply};
use crate::{
    clock::Micros,
    store::{
        circuit_breaker::Circuit,
        interface::{Check, Outcomes, StoreError},
    },
};

#[derive(Debug)]
pub(super) struct Executor {
    pub(super) connections: WorkerConnections,
    #[cfg(feature = "cluster")]
    pub(super) open_slots: OpenSlots,
    #[cfg(feature = "test-util")]
    pub(super) clock: Option<crate::clock::ManualClock>,
}

/// The part of the deadline after which a lane does not wait for its call any more.
const OVERLAP: u32 = 8;

/// What becomes of a call that has no answer within its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    /// It is waited for until its connection is replaced: its answer says that the store is back.
    /// What gathers behind it is not sent meanwhile, and not charged for requests that have left.
    Awaited,
    /// The caller has its own deadline, or others are not to wait for it.
    Abandoned,
}

impl Executor {
    pub(super) fn upkeep(&self) -> &Upkeep {
        self.connections.upkeep()
    }

    fn circuit(&self) -> &Circuit {
        &self.upkeep().circuit
    }

    /// When a decision that begins now is late.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.upkeep().deadline
    }

    pub(super) fn terms(&self) -> CallContext<'_> {
        CallContext {
            naming: &self.upkeep().naming,
            hasher: &self.upkeep().hasher,
            now: self.now(),
            #[cfg(feature = "cluster")]
            once: self.once(),
        }
    }

    /// The time to pass to the script; `None` is the server's.
    fn now(&self) -> Option<Micros> {
        #[cfg(feature = "test-util")]
        let now = self.clock.as_ref().map(crate::clock::ManualClock::micros);
        #[cfg(not(feature = "test-util"))]
        let now = None;
        now
    }

    /// Decides these checks with whatever else goes out in this lane. They are in it all; so
    /// nothing of them is in another.
    pub(super) async fn decide(
        self: &Arc<Self>,
        lane: Lane,
        checks: &[Check<'_>],
        deadline: Instant,
    ) -> Result<Outcomes, StoreError> {
        let runtime = runtime()?;
        let connection = self.connections.of(&runtime);
        let (answer, task) = connection.queue.add(lane, checks, &self.terms());
        let executor = Arc::clone(self);
        match task {
            Dispatch::Queued => {}
            // Tasks of their own: a client that leaves must not take the others' call with it. And
            // they run after what is ready now, so that all of it goes together.
            Dispatch::DrainLoop => {
                runtime.spawn(executor.drain(connection, lane));
            }
            Dispatch::SendOne => {
                runtime.spawn(async move { executor.send_full_batch(&connection, lane).await });
            }
        }
        match within(deadline, pin!(answer)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::new("what asked the server was ended")),
            Err(expired) => Err(self.waited_in_vain(expired)),
        }
    }

    /// Sends what has gathered in a lane, call by call, until there is nothing more. A batch is
    /// sealed once there is a connection to send it on: requests that have left by then are not in
    /// it.
    ///
    /// A call is not waited for beyond a part of the deadline: to a distant server the next one
    /// goes out while it is under way, or requests would wait for two round trips.
    async fn drain(self: Arc<Self>, connection: Arc<WorkerConnection>, lane: Lane) {
        loop {
            let guard = connection.checkout().await;
            let Some(batch) = connection.queue.next(lane) else {
                return;
            };
            let mut sending = pin!(self.send_batch(&connection, lane, batch, guard));
            let patience = self.upkeep().deadline / OVERLAP;
            if timeout(patience, sending.as_mut()).await.is_ok() {
                continue;
            }
            let Some(_overlap) = connection.overlap() else {
                sending.await;
                continue;
            };
            let (executor, next) = (Arc::clone(&self), Arc::clone(&connection));
            tokio::spawn(boxed(executor, next, lane));
            sending.await;
            return;
        }
    }

    /// Sends a full batch beside the call that is under way in its lane.
    async fn send_full_batch(&self, connection: &WorkerConnection, lane: Lane) {
        let guard = connection.checkout().await;
        if let Some(batch) = connection.queue.take(lane) {
            self.send_batch(connection, lane, batch, guard).await;
        }
    }

    /// Sends a batch, and delivers what comes of it.
    async fn send_batch(
        &self,
        connection: &WorkerConnection,
        #[cfg_attr(not(feature = "cluster"), expect(unused_variables))] lane: Lane,
        batch: Batch,
        mut guard: Result<ConnectionGuard, RedisError>,
    ) {
        let Some((call, sent)) = batch.seal(&self.terms()) else {
            return;
        };
        #[cfg(feature = "cluster")]
        if matches!(lane, Lane::Slot(slot) if self.open_slots.contains(slot)) {
            return sent.deliver(Err(StoreError::migrating()));
        }
        let reply = loop {
            let lent = match guard {
                Ok(lent) => lent,
                Err(error) => break Err(StoreError::new(error.to_string())),
            };
            let late = match lent.is_cluster() {
                true => Late::Abandoned,
                false => Late::Awaited,
            };
            let request = Request::Call(&call);
            match self.attempt(lent, self.deadline(), late, request).await {
                Ok(reply) => break reply.and_then(bytes),
                Err(NotSent) if !sent.is_awaited() => return,
                Err(NotSent) => guard = connection.checkout().await,
            }
        };
        #[cfg(feature = "cluster")]
        if let (Lane::Slot(slot), Ok(reply::MIGRATING)) = (lane, reply.as_deref()) {
            self.open_slots.add(slot);
        }
        sent.deliver(reply);
    }

    pub(super) async fn run(&self, call: &Call, deadline: Instant) -> Result<Vec<u8>, StoreError> {
        let reply = self.perform(Request::Call(call), deadline).await;
        reply.and_then(bytes)
    }

    pub(super) async fn send(&self, command: &Cmd) -> Result<(), StoreError> {
        let done = self.perform(Request::Command(command), self.deadline());
        done.await.map(drop)
    }

    /// Sends the request on this worker's connection, once: it may have been carried out.
    async fn perform(&self, request: Request<'_>, deadline: Instant) -> Result<Value, StoreError> {
        let connection = self.connections.of(&runtime()?);
        loop {
            let lent = within(deadline, pin!(connection.checkout()))
                .await
                .map_err(|expired| self.waited_in_vain(expired))?
                .map_err(|error| StoreError::new(error.to_string()))?;
            let reply = self.attempt(lent, deadline, Late::Abandoned, request).await;
            if let Ok(reply) = reply {
                return reply;
            }
        }
    }

    /// Sends the request on this connection, and tells connection and circuit how that went.
    async fn attempt(
        &self,
        mut lent: ConnectionGuard,
        mut deadline: Instant,
        late: Late,
        request: Request<'_>,
    ) -> Result<Result<Value, StoreError>, NotSent> {
        let sent = Instant::now();
        let mut connection = lent.connection.clone();
        let outcome = {
            let superseded = pin!(lent.superseded());
            let reply = pin!(request.send(&mut connection, self.upkeep().deadline));
            let mut answer = pin!(unless(superseded, reply));
            loop {
                match within(deadline, answer.as_mut()).await {
                    // This process has slept: the store gets its time now.
                    Err(Expired::OwnLateness) if late == Late::Awaited => {
                        deadline = self.deadline();
                    }
                    Err(Expired::Silence) if late == Late::Awaited => {
                        self.report(lent.late(sent), self.late());
                        break Ok(answer.await);
                    }
                    outcome => break outcome,
                }
            }
        };
        // The handle that was used: a cluster's knows what it was asked about.
        lent.connection = connection;
        Ok(match outcome {
            Ok(Some(Err(NotSent))) => {
                lent.was_closed();
                return Err(NotSent);
            }
            Ok(Some(Ok(Ok(done)))) => {
                lent.answered();
                self.circuit().decided();
                Ok(done)
            }
            Ok(Some(Ok(Err(error)))) => {
                let reach = lent.failed(&error, sent);
                Err(self.report(reach, StoreError::new(error.to_string())))
            }
            // The connection was replaced, so the answer is lost.
            Ok(None) | Err(Expired::OwnLateness) => Err(self.late()),
            Err(Expired::Silence) => Err(self.report(lent.late(sent), self.late())),
        })
    }

    /// Tells the circuit of a failure, if it is one of the store.
    fn report(&self, reach: Reach, error: StoreError) -> StoreError {
        if let Reach::Store(began) = reach {
            self.circuit().incident(began, &error);
        }
        error
    }

    fn waited_in_vain(&self, expired: Expired) -> StoreError {
        let late = self.late();
        if expired == Expired::Silence {
            self.circuit().waited_in_vain(&late);
        }
        late
    }

    fn late(&self) -> StoreError {
        StoreError::new(format!("no answer within {:?}", self.upkeep().deadline))
    }
}

/// A drain that goes on where another one waits. Boxed, as its type holds itself.
fn boxed(
    executor: Arc<Executor>,
    connection: Arc<WorkerConnection>,
    lane: Lane,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(executor.drain(connection, lane))
}

/// Timers and connections want one; without, there is an error and no panic.
fn runtime() -> Result<Handle, StoreError> {
    Handle::try_current().map_err(|error| StoreError::misuse(error.to_string()))
}
