//! The way to the servers: over this worker's link, within a deadline.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

use super::{
    connection::Connection,
    link::{Links, next_number},
    loan::Loan,
    queue::{Batch, Lane, Task},
    script::{Call, Terms},
};
use crate::{
    clock::Micros,
    store::{
        interface::{Check, Outcomes, StoreError},
        place::Hasher,
    },
};

#[derive(Debug)]
pub(super) struct Wire {
    pub(super) links: Links,
    pub(super) prefix: Box<str>,
    pub(super) hasher: Hasher,
    /// For one decision, waiting for a connection included.
    pub(super) deadline: Duration,
    #[cfg(feature = "test-util")]
    pub(super) clock: Option<crate::clock::ManualClock>,
}

impl Wire {
    /// When a decision that begins now is late.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.deadline
    }

    pub(super) fn terms(&self) -> Terms<'_> {
        Terms {
            prefix: &self.prefix,
            hasher: &self.hasher,
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
        let link = self.links.link(&runtime);
        #[cfg(feature = "cluster")]
        let answers_before = link.answers();
        let (answer, task) = link.queue.add(lane, checks, &self.terms());
        let wire = Arc::clone(self);
        match task {
            Task::Wait => {}
            // Tasks of their own: a client that leaves must not take the others' call with it. And
            // they run after what is ready now, so that all of it goes together.
            Task::Carry => {
                let link = Arc::clone(&link);
                runtime.spawn(async move {
                    while let Some(batch) = link.queue.next(lane) {
                        wire.carry(batch).await;
                    }
                });
            }
            Task::Send => {
                let link = Arc::clone(&link);
                runtime.spawn(async move {
                    if let Some(batch) = link.queue.take(lane) {
                        wire.carry(batch).await;
                    }
                });
            }
        }
        match timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::new("what asked the server was ended")),
            Err(_) => {
                let key = || {
                    let mut charges = checks.iter().flat_map(|check| &check.charges);
                    charges.next().map(|charge| charge.key.text(&self.prefix))
                };
                link.was_late(key);
                let late = self.late();
                #[cfg(feature = "cluster")]
                if link.answers() != answers_before {
                    return Err(late.partial());
                }
                Err(late)
            }
        }
    }

    /// Sends a batch, and delivers what comes of it.
    async fn carry(&self, batch: Batch) {
        let Some((call, sent)) = batch.depart(&self.terms()) else {
            return;
        };
        let work = async |connection: &mut Connection| exchange(&call, connection).await;
        // Who waits has counted lateness already.
        let reply = self.on_link(self.deadline(), work, drop).await;
        sent.deliver(reply.map_err(|error| error.together(next_number())));
    }

    pub(super) async fn run(&self, call: &Call, deadline: Instant) -> Result<Vec<u8>, StoreError> {
        let work = async |connection: &mut Connection| exchange(call, connection).await;
        self.on_link(deadline, work, Loan::was_late).await
    }

    pub(super) async fn send(&self, command: &Cmd) -> Result<(), StoreError> {
        let work = async |connection: &mut Connection| command.query_async(connection).await;
        self.on_link(self.deadline(), work, Loan::was_late).await
    }

    /// Does `work` on this worker's connection within the deadline, and tells the link how that
    /// went. Nothing is tried twice: it may have been done.
    async fn on_link<T>(
        &self,
        deadline: Instant,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, RedisError>,
        was_late: impl FnOnce(Loan),
    ) -> Result<T, StoreError> {
        let runtime = runtime()?;
        let mut loan = timeout_at(deadline, self.links.get(&runtime))
            .await
            .map_err(|_| self.late())?
            .map_err(|error| StoreError::new(error.to_string()))?;
        let answer = {
            let given_up = pin!(loan.given_up());
            let answer = pin!(timeout_at(deadline, work(&mut loan.connection)));
            unless(given_up, answer).await
        };
        let Some(answer) = answer else {
            return Err(self.late());
        };
        match answer {
            Ok(Ok(done)) => {
                loan.answered();
                Ok(done)
            }
            Ok(Err(error)) => {
                let reason = loan.weigh(StoreError::new(error.to_string()));
                Err(reason.of(loan.failed(error)))
            }
            Err(_) => {
                let reason = loan.weigh(self.late());
                was_late(loan);
                Err(reason)
            }
        }
    }

    fn late(&self) -> StoreError {
        StoreError::new(format!("no answer within {:?}", self.deadline))
    }
}

/// Timers and connections want one; without, there is an error and no panic.
fn runtime() -> Result<Handle, StoreError> {
    Handle::try_current().map_err(|error| StoreError::misuse(error.to_string()))
}

async fn exchange(call: &Call, connection: &mut Connection) -> Result<Vec<u8>, RedisError> {
    #[cfg(feature = "cluster")]
    if let Connection::Cluster(_) = connection {
        return super::migrating::exchange(call, connection).await;
    }
    match call.by_hash().query_async(connection).await {
        // The server has restarted or was told to forget scripts. Nothing was done yet.
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            call.by_source().query_async(connection).await
        }
        reply => reply,
    }
}

/// What `work` comes to; `None` if `event` comes first. Both stay where they are: the task of a call
/// is as large as all that it waits for.
async fn unless<T>(
    mut event: Pin<&mut impl Future<Output = ()>>,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => event.as_mut().poll(context).map(|()| None),
    })
    .await
}
