//! Asks the server to decide, without a request.

use std::time::Duration;

#[cfg(feature = "cluster")]
use futures_util::future::select_ok;
use redis::RedisError;
use smallvec::smallvec;

use super::{
    connection::Connection,
    connection_state::aborted,
    script::{Call, CallContext},
    send::{NotSent, Request},
};
use crate::{
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Limit},
    store::interface::{Charge, Check, Mode},
};

/// Always fits, so that it is always written: a server that answers but accepts no writes, as it is
/// out of memory or a replica, is not well. Gone by itself soon after.
const PROBE: Limit =
    Limit::new(1_000_000_000, Duration::from_millis(1)).algorithm(Algorithm::FixedWindow);

/// The number of slots of a cluster that are asked. With three masters of which one is dead, all of
/// them are the dead one's once in 250 times.
#[cfg(feature = "cluster")]
const SLOTS: usize = 5;

/// Whether the server decides. In a cluster, whether it does for any of a few slots: one slot, or
/// the node that has it, says nothing about the others.
pub(super) async fn verify(
    connection: &Connection,
    terms: &CallContext<'_>,
    deadline: Duration,
) -> Result<(), RedisError> {
    #[cfg(feature = "cluster")]
    if connection.is_cluster() {
        let names = [(); SLOTS].map(|()| format!("probe{}", fastrand::u32(..)));
        let probes = names.map(|name| {
            Box::pin(async move {
                let (mut handle, identity) = (connection.clone(), Identity::new(name));
                probe(&mut handle, &identity, terms, deadline).await
            })
        });
        return select_ok(probes).await.map(|_| ());
    }
    let identity = Identity::new("probe");
    probe(&mut connection.clone(), &identity, terms, deadline).await
}

async fn probe(
    connection: &mut Connection,
    identity: &Identity,
    terms: &CallContext<'_>,
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
    let call = Call::decide(terms, &[check]);
    match Request::Call(&call).send(connection, deadline).await {
        Ok(reply) => reply.map(drop),
        Err(NotSent) => Err(aborted()),
    }
}
