//! One look at the server when a limiter is built.

use std::time::Duration;

use redis::RedisError;
use smallvec::smallvec;
use tokio::{runtime::Handle, time::timeout};

#[cfg(feature = "cluster")]
use super::migrating::exchange;
use super::{
    RedisStore,
    connection::Connection,
    judge::judge,
    script::{Call, Terms},
};
use crate::{
    algorithm::Receipt,
    error::{InitError, InitKind},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Algorithm, Bound, Concurrency, Holder, Limit},
    store::interface::{Charge, Check, Mode},
};

/// The oldest server that the tests run against.
const OLDEST: (u32, u32) = (6, 2);
/// What the probe writes is gone so soon by itself too.
const WINDOW: Duration = Duration::from_millis(1);

impl RedisStore {
    /// Looks at the server once.
    ///
    /// # Errors
    ///
    /// What no waiting will mend: wrong credentials, a server too old, something that is no Redis.
    /// A server that cannot be reached right now is a warning in the log.
    pub(crate) async fn probe(&self) -> Result<(), InitError> {
        let runtime = Handle::try_current().map_err(|error| {
            InitError::settings(format!(
                "a limiter on a server is built inside a runtime: {error}"
            ))
        })?;
        let patience = self.wire.links.pool().patience();
        match timeout(patience, self.look(&runtime)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Finding::Wrong(error))) => Err(error),
            Ok(Err(Finding::Server(error))) => judge(&error),
            Err(_) => {
                log::warn!(
                    "the server for rate limits has not answered within {patience:?}; starting \
                     all the same, a connection is being tried for in the background"
                );
                Ok(())
            }
        }
    }

    async fn look(&self, runtime: &Handle) -> Result<(), Finding> {
        let mut loan = self.wire.links.get(runtime).await?;
        let knows_clusters = self.wire.links.pool().is_cluster();
        check_server(&mut loan.connection, knows_clusters).await?;
        self.try_out(&mut loan.connection).await?;
        // The probe's were answers as good as any.
        loan.answered();
        Ok(())
    }

    /// Loads the script, and shows whether this user may do with such keys what limits need, by a
    /// charge of every algorithm to an identity of its own, and of a place that is asked for by
    /// another and given back.
    async fn try_out(&self, connection: &mut Connection) -> Result<(), RedisError> {
        let identity = Identity::new("probe");
        let limits = [
            Algorithm::SlidingWindow,
            Algorithm::SlidingWindowCounter,
            Algorithm::FixedWindow,
            Algorithm::TokenBucket,
            Algorithm::LeakyBucket,
        ]
        .map(|algorithm| Limit::new(1, WINDOW).algorithm(algorithm));
        let running = Concurrency::new(1).expiry(WINDOW);
        let key = Key::holders(&identity, &running);
        let (one, other) = (Holder::new(), Holder::new());
        let receipt = [Some(Receipt::of_place(one))];
        let charges = limits.iter().map(|limit| Charge {
            key: Key::counter(&identity, limit),
            limit: limit.into(),
            cost: 1,
            failure_mode: FailureMode::Open,
        });
        let charges = Check {
            mode: Mode::Charge,
            charges: charges.collect(),
        };
        let places = [
            (Mode::Charge, one),
            (Mode::Charge, other),
            (Mode::Refund(&receipt), one),
        ]
        .map(|(mode, holder)| Check {
            mode,
            charges: smallvec![Charge {
                key,
                limit: Bound::Running(&running, holder),
                cost: 1,
                failure_mode: FailureMode::Open,
            }],
        });
        let [take, denied, give_back] = places;
        let checks = [charges, take, denied, give_back];
        let terms = Terms {
            now: None,
            ..self.terms()
        };
        let call = Call::decide(&terms, &checks);
        let counters = limits.iter().map(|limit| Key::counter(&identity, limit));
        let keys: Vec<_> = counters.chain([key]).collect();
        #[cfg(feature = "cluster")]
        if let Connection::Cluster(_) = connection {
            return self.try_out_on_a_cluster(connection, &call, &keys).await;
        }
        call.by_source().query_async::<()>(connection).await?;
        call.by_hash().query_async::<()>(connection).await?;
        let mut forget = redis::cmd("DEL");
        for key in &keys {
            forget.arg(key.text(&self.wire.prefix));
        }
        forget.query_async(connection).await
    }

    /// The same for a cluster, and what limits need there while slots are being moved: calls of one
    /// key.
    #[cfg(feature = "cluster")]
    async fn try_out_on_a_cluster(
        &self,
        connection: &mut Connection,
        call: &Call,
        keys: &[Key<'_>],
    ) -> Result<(), RedisError> {
        exchange(call, connection).await?;
        let identity = Identity::new("probe");
        // None of the limits above: a call that denies writes nothing.
        let limits = [Algorithm::SlidingWindow, Algorithm::FixedWindow]
            .map(|algorithm| Limit::new(1, 2 * WINDOW).algorithm(algorithm));
        let terms = Terms {
            now: None,
            ..self.terms()
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
            exchange(&Call::decide_alone(&terms, &check), connection).await?;
        }
        let counters = limits
            .each_ref()
            .map(|limit| Key::counter(&identity, limit));
        for key in keys.iter().chain(&counters) {
            let mut forget = redis::cmd("DEL");
            forget.arg(key.text(&self.wire.prefix));
            forget.query_async::<()>(connection).await?;
        }
        Ok(())
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

/// What the server says about itself.
async fn check_server(connection: &mut Connection, knows_clusters: bool) -> Result<(), Finding> {
    let info = match connection.info().await {
        Ok(info) => info,
        // A user who may not ask is no reason to refuse; the script will tell.
        Err(error) if error.code() == Some("NOPERM") => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let said = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim)
    };
    if let Some(version) = said("redis_version:") {
        check_version(version).map_err(Finding::Wrong)?;
    }
    // Valkey's newer name beside the old one.
    let mode = said("redis_mode:").or_else(|| said("server_mode:"));
    if mode == Some("cluster") && !knows_clusters {
        return Err(Finding::Wrong(super::judge::is_of_a_cluster()));
    }
    Ok(())
}

fn check_version(version: &str) -> Result<(), InitError> {
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    let (major, minor): (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if (major, minor) >= OLDEST {
        return Ok(());
    }
    let detail = format!(
        "the server is Redis {version}; rate limits need Redis {}.{} or newer, or any Valkey",
        OLDEST.0, OLDEST.1
    );
    Err(InitError::new(InitKind::Server, detail))
}
