//! The startup check contacts the server once, when the builder makes a limiter. A server that
//! cannot be reached does not prevent the start.

use std::time::Duration;

use actix_throttle_core::{
    algorithm::Receipt,
    check::{Charge, Check, Mode},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Concurrency, Limit, LimitRef, PermitId},
    text::word::Word,
};
use redis::RedisError;
use smallvec::smallvec;
use tokio::{runtime::Handle, time::timeout};

#[cfg(feature = "cluster")]
use crate::engine::store::redis::cluster::migration::exchange;
use crate::engine::store::redis::{
    connection::connection::Connection,
    plain::call::PlainCall,
    script::{Call, CallContext},
    startup::{
        classify::{classify, may_be_another_protocol, speaks_the_other_protocol, warn},
        server_info::{ServerInfo, UNKNOWN},
    },
    store::RedisStore,
};
use crate::engine::{error::InitError, log_throttle::TARGET};

/// The window of the probe's limits, so short that the keys soon expire by themselves too.
const WINDOW: Duration = Duration::from_millis(1);
/// The window of the plain script's limits, so long that the second charge finds the first.
const PLAIN_WINDOW: Duration = Duration::from_secs(5);

impl RedisStore {
    /// Checks the server once, and logs the result.
    ///
    /// # Errors
    ///
    /// A fault that no waiting can mend: wrong credentials, a server too old, something that is not
    /// Redis, TLS at one end only, an unknown host name. A server that cannot be reached right now
    /// is only logged as a warning.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it leaves at most keys that soon expire.
    pub(crate) async fn probe(&self) -> Result<(), InitError> {
        let runtime = Handle::try_current().map_err(|error| {
            InitError::settings(format!(
                "a limiter on a server is built inside a runtime: {error}"
            ))
        })?;
        let pool = &self.executor.upkeep().pool;
        let longest = pool.connect_timeout(None);
        let failure = match timeout(longest, self.inspect(&runtime)).await {
            Ok(Ok(server)) => {
                self.log_connected(server.as_ref());
                return Ok(());
            }
            Ok(Err(Finding::Wrong(error))) => return Err(error),
            Ok(Err(Finding::Server(error))) => Some(error),
            Err(_) => None,
        };
        if let Some(endpoint) = pool.endpoint()
            && failure.as_ref().is_none_or(may_be_another_protocol)
            && endpoint.speaks_the_other_protocol().await
        {
            return Err(speaks_the_other_protocol(pool));
        }
        match failure {
            Some(error) => classify(&error, pool),
            None => {
                warn(pool, &format!("no reply within {longest:?}"));
                Ok(())
            }
        }
    }

    async fn inspect(&self, runtime: &Handle) -> Result<Option<ServerInfo>, Finding> {
        let mut guard = self.executor.connections.of(runtime).checkout().await?;
        let pool = &self.executor.upkeep().pool;
        let server = match ServerInfo::ask(&mut guard.connection).await {
            // Some proxies close the connection on a command that they do not know.
            Err(error) if error.is_io_error() => {
                guard.connection = pool.connect().await?;
                None
            }
            server => server?,
        };
        if let Some(server) = &server {
            server.check(pool.is_cluster()).map_err(Finding::Wrong)?;
        }
        self.try_out(&mut guard.connection).await?;
        // Replies to the probe prove that the connection works, as replies to requests do.
        guard.replied();
        Ok(server)
    }

    /// Logs which store decides from now on, and warns if it may evict counters.
    fn log_connected(&self, server: Option<&ServerInfo>) {
        let upkeep = self.executor.upkeep();
        let (name, prefix) = (upkeep.pool.name(), &*upkeep.naming.prefix);
        let version = server.map_or_else(|| UNKNOWN.to_owned(), ToString::to_string);
        log::info!(
            target: TARGET,
            "rate limits are decided by {name}: {version}; prefix `{prefix}`"
        );
        if let Some(server) = server {
            server.warn_of_eviction(&name);
        }
    }

    /// Loads the scripts, and verifies that this user may run every command that limits need on
    /// keys with this prefix: a charge by each algorithm to an identity of its own, and a permit
    /// that is charged, denied to a second request, and refunded. The plain script charges each
    /// algorithm twice, because a state that is there is written by another command than a new one.
    async fn try_out(&self, connection: &mut Connection) -> Result<(), RedisError> {
        let identity = Identity::new("probe");
        let limits: Vec<_> = Algorithm::ALL
            .iter()
            .map(|algorithm| Limit::new(1, WINDOW).algorithm(*algorithm))
            .collect();
        let running = Concurrency::new(1).expiry(WINDOW);
        let key = Key::permits(&identity, &running);
        let (one, other) = (PermitId::new(), PermitId::new());
        let receipt = [Some(Receipt::of_permit(one))];
        let charges = charge_each(&identity, &limits);
        let checks = [
            (Mode::Charge, one),
            (Mode::Charge, other),
            (Mode::Refund(&receipt), one),
        ]
        .map(|(mode, permit_id)| Check {
            mode,
            charges: smallvec![Charge {
                key,
                limit: LimitRef::Concurrency(&running, permit_id),
                cost: 1,
                failure_mode: FailureMode::Open,
            }],
        });
        let [take, denied, refund] = checks;
        let checks = [charges, take, denied, refund];
        let context = CallContext {
            now: None,
            ..self.context()
        };
        let call = Call::decide(&context, &checks);
        let counters = limits.iter().map(|limit| Key::counter(&identity, limit));
        let keys: Vec<_> = counters.chain([key]).collect();
        // The leaky bucket is left out, because it would deny the second charge.
        let plain_limits: Vec<_> = Algorithm::ALL
            .iter()
            .filter(|algorithm| **algorithm != Algorithm::LeakyBucket)
            .map(|algorithm| Limit::new(10, PLAIN_WINDOW).algorithm(*algorithm))
            .collect();
        let check = charge_each(&identity, &plain_limits);
        let counters = plain_limits
            .iter()
            .map(|limit| Key::counter(&identity, limit));
        let keys: Vec<_> = keys.into_iter().chain(counters).collect();
        #[cfg(feature = "cluster")]
        if let Connection::Cluster(_) = connection {
            let plain = [(); 2].map(|()| PlainCall::of_one(&check, &context));
            return self
                .try_out_on_a_cluster(connection, &call, &plain, &keys)
                .await;
        }
        call.by_source().query_async::<()>(connection).await?;
        call.by_hash().query_async::<()>(connection).await?;
        if let Some(call) = PlainCall::of_one(&check, &context) {
            call.by_source().query_async::<()>(connection).await?;
            call.by_hash().query_async::<()>(connection).await?;
        }
        let mut delete = redis::cmd("DEL");
        for key in keys {
            delete.arg(key.text(&self.executor.upkeep().naming));
        }
        delete.query_async(connection).await
    }

    /// Verifies a cluster by `call`, by the `plain` ones, and by the calls of one key that limits
    /// need during a migration.
    #[cfg(feature = "cluster")]
    async fn try_out_on_a_cluster(
        &self,
        connection: &mut Connection,
        call: &Call,
        plain: &[Option<PlainCall>],
        keys: &[Key<'_>],
    ) -> Result<(), RedisError> {
        let deadline = self.executor.upkeep().deadline;
        exchange(call, connection, deadline).await?;
        for call in plain.iter().flatten() {
            exchange(call, connection, deadline).await?;
        }
        let identity = Identity::new("probe");
        // The limits are others than those of `call`, which are full: a call that denies writes
        // nothing.
        let limits = [Algorithm::SlidingWindow, Algorithm::FixedWindow]
            .map(|algorithm| Limit::new(1, 2 * WINDOW).algorithm(algorithm));
        let context = CallContext {
            now: None,
            ..self.context()
        };
        for limit in &limits {
            let check = Check {
                mode: Mode::Charge,
                charges: smallvec![Charge {
                    key: Key::counter(&identity, limit),
                    limit: limit.into(),
                    cost: 1,
                    failure_mode: FailureMode::Open,
                }],
            };
            exchange(
                &Call::decide_single_key(&context, &check),
                connection,
                deadline,
            )
            .await?;
        }
        let counters = limits
            .each_ref()
            .map(|limit| Key::counter(&identity, limit));
        for key in keys.iter().chain(&counters) {
            let mut delete = redis::cmd("DEL");
            delete.arg(key.text(&self.executor.upkeep().naming));
            delete.query_async::<()>(connection).await?;
        }
        Ok(())
    }
}

/// A check that charges 1 to each limit.
fn charge_each<'a>(identity: &'a Identity, limits: &'a [Limit]) -> Check<'a> {
    let charges = limits.iter().map(|limit| Charge {
        key: Key::counter(identity, limit),
        limit: limit.into(),
        cost: 1,
        failure_mode: FailureMode::Open,
    });
    Check {
        mode: Mode::Charge,
        charges: charges.collect(),
    }
}

enum Finding {
    Wrong(InitError),
    Server(RedisError),
}

impl From<RedisError> for Finding {
    fn from(error: RedisError) -> Self {
        Self::Server(error)
    }
}
