//! Verifies that Redis decides, by a probe that charges a limit without a request. The reconnect
//! task calls it, and tells the circuit breaker the result.

use std::{pin::pin, time::Duration};

use actix_throttle_core::{
    check::{Charge, Check, Mode},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Limit},
};
#[cfg(feature = "cluster")]
use futures_util::future::select_ok;
use redis::RedisError;
use smallvec::smallvec;
use tokio::time::Instant;

use crate::engine::store::redis::{
    connection::{connection::Connection, state::aborted},
    lateness::{Expired, within},
    script::{Call, CallContext},
    send::{NotSent, RedisRequest},
};

/// The limit that a probe charges. The charge always fits and so is always written: a server that
/// replies but accepts no writes, because it is out of memory or a replica, is not well. The key
/// soon expires.
const PROBE: Limit =
    Limit::new(1_000_000_000, Duration::from_millis(1)).algorithm(Algorithm::FixedWindow);

/// The most round trips of a verification: the script may have to be sent, and then the probe must
/// be answered in time once more.
pub(crate) const ROUND_TRIPS: u32 = 3;

/// The number of cluster slots that are probed. If one of three masters is dead, all of them belong
/// to it once in 250 times.
#[cfg(feature = "cluster")]
const SLOTS: usize = 5;

/// Verifies that the store decides, and within the deadline. In a cluster a decision for any of a
/// few slots is enough: one slot, or the node that has it, says nothing about the others.
///
/// # Errors
///
/// The error of the probe; in a cluster, of the last one if all probes fail.
pub(crate) async fn verify(
    connection: &Connection,
    context: &CallContext<'_>,
    deadline: Duration,
) -> Result<(), RedisError> {
    #[cfg(feature = "cluster")]
    if connection.is_cluster() {
        let names = [(); SLOTS].map(|()| format!("probe{}", fastrand::u32(..)));
        let probes = names.map(|name| {
            Box::pin(async move {
                timely_probe(connection, &Identity::new(name), context, deadline).await
            })
        });
        return select_ok(probes).await.map(|_| ());
    }
    timely_probe(connection, &Identity::new("probe"), context, deadline).await
}

/// Probes until a reply is in time. The first one may be late because the script had to be sent,
/// the second one only because the store is too slow; its caller gives up then.
async fn timely_probe(
    connection: &Connection,
    identity: &Identity,
    context: &CallContext<'_>,
    deadline: Duration,
) -> Result<(), RedisError> {
    loop {
        let mut handle = connection.clone();
        let mut reply = pin!(probe(&mut handle, identity, context, deadline));
        match within(Instant::now() + deadline, reply.as_mut()).await {
            Ok(reply) => return reply,
            // This process was late, so nothing is known against the store.
            Err(Expired::OwnLateness) => return reply.await,
            Err(Expired::Silence) => reply.await?,
        }
    }
}

async fn probe(
    connection: &mut Connection,
    identity: &Identity,
    context: &CallContext<'_>,
    deadline: Duration,
) -> Result<(), RedisError> {
    let check = Check {
        mode: Mode::Charge,
        charges: smallvec![Charge {
            key: Key::counter(identity, &PROBE),
            limit: (&PROBE).into(),
            cost: 1,
            failure_mode: FailureMode::Open,
        }],
    };
    let call = Call::decide(context, &[check]);
    match RedisRequest::Call(&call).send(connection, deadline).await {
        Ok(reply) => reply.map(drop),
        Err(NotSent) => Err(aborted()),
    }
}
