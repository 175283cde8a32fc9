//! The sources of connections: one server, the master that sentinels name, or a cluster. The
//! builder takes a [`RedisPool`], and the reconnect tasks connect with it. Nothing is taken out of
//! the application's pool.

use std::{fmt, io, time::Duration};

use deadpool::managed::Manager;
use redis::{ErrorKind, RedisError, Value, aio::MultiplexedConnection};

use crate::engine::store::redis::connection::{
    connection::Connection, endpoint::Endpoint, error_text, verify::ROUND_TRIPS,
};

/// The longest time for an attempt to connect to one server, name lookup and handshakes included.
/// It is far above a request's deadline, so that a distant server is reached in the end.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The shortest time limit for an attempt to connect to one server that was reached before.
const RECONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// The factor by which the next attempt may take longer than the latest one.
const SLACK: u32 = 20;
/// The longest time for an attempt that tries several nodes in turn, each with the client's own
/// limit of one second: a silent node must not keep the others from being reached.
#[cfg(any(feature = "cluster", feature = "sentinel"))]
const MULTI_NODE_TIMEOUT: Duration = Duration::from_secs(10);

/// The source of connections to Redis or Valkey: a `deadpool_redis::Pool`, or its `cluster::Pool`
/// (feature `cluster`) or `sentinel::Pool` (feature `sentinel`).
///
/// A limiter connects with the settings of the pool, one connection per worker. It takes no
/// connection out of the pool. Name several nodes to a cluster's pool: each new connection starts
/// at one of them.
///
/// # TLS
///
/// The feature `tls` uses rustls with the process's default crypto provider. `redis_url` with
/// `rediss://` installs the provider of `ring`, if the application has not installed one before.
/// Nothing else in this crate installs a provider. For your own pool, rustls finds the provider by
/// itself if your build has only one. A build with two providers, `ring` and `aws-lc-rs`, must
/// install one before it builds a limiter:
/// `rustls::crypto::ring::default_provider().install_default()`.
///
/// rustls trusts the authorities of the platform, or those in the file that the variable
/// `SSL_CERT_FILE` names. To trust an authority for one pool only, or to use a client certificate:
///
#[cfg_attr(feature = "tls", doc = "```no_run")]
#[cfg_attr(not(feature = "tls"), doc = "```ignore")]
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{
///     RateLimiter,
///     deadpool_redis::{
///         Manager, Pool,
///         redis::{Client, TlsCertificates, io::tcp::TcpSettings},
///     },
/// };
///
/// let certificates = TlsCertificates {
///     root_cert: Some(std::fs::read("authority.pem")?),
///     client_tls: None, // or the client's certificate and key
/// };
/// let client = Client::build_with_tls("rediss://redis.internal:6380", certificates)?;
/// let tcp = TcpSettings::default().set_nodelay(true);
/// let info = client.get_connection_info().clone().set_tcp_settings(tcp);
/// let pool = Pool::builder(Manager::new(info)?).build()?;
///
/// RateLimiter::builder().redis(pool).init().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisPool {
    kind: PoolKind,
    /// The address, if `redis_url` named it. The address of an application's pool cannot be seen.
    endpoint: Option<Endpoint>,
}

#[derive(Clone)]
enum PoolKind {
    One(deadpool_redis::Pool),
    #[cfg(feature = "sentinel")]
    Sentinel(deadpool_redis::sentinel::Pool),
    #[cfg(feature = "cluster")]
    Cluster(deadpool_redis::cluster::Pool),
}

impl RedisPool {
    /// A pool that the limiter has made itself, for this address.
    pub(crate) fn at(endpoint: Endpoint, pool: deadpool_redis::Pool) -> Self {
        Self {
            kind: PoolKind::One(pool),
            endpoint: Some(endpoint),
        }
    }

    /// Makes a new connection on the caller's runtime, with the settings of the pool. The
    /// connection is not one of the pool's, so an application that holds all of those does not
    /// block the limiter, and no other worker drives the connection.
    ///
    /// # Errors
    ///
    /// The reason why there is no connection. There is no timeout here: the caller sets one.
    pub(crate) async fn connect(&self) -> Result<Connection, RedisError> {
        match &self.kind {
            PoolKind::One(pool) => {
                let made = create(pool.manager()).await;
                match &self.endpoint {
                    Some(endpoint) => greeted(made, endpoint).await.map(Into::into),
                    None => made.map(Into::into),
                }
            }
            // The manager asks the sentinels each time, and the server that they name for its role.
            #[cfg(feature = "sentinel")]
            PoolKind::Sentinel(pool) => create(pool.manager()).await.map(Into::into),
            #[cfg(feature = "cluster")]
            PoolKind::Cluster(pool) => create(pool.manager()).await.map(Into::into),
        }
    }

    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// The name of the servers in log lines and errors, without credentials.
    pub(crate) fn name(&self) -> String {
        match (&self.kind, &self.endpoint) {
            (_, Some(endpoint)) => format!("Redis at {endpoint}"),
            (PoolKind::One(_), None) => "the pool's Redis".into(),
            #[cfg(feature = "sentinel")]
            (PoolKind::Sentinel(_), None) => "the master that the pool's sentinels name".into(),
            #[cfg(feature = "cluster")]
            (PoolKind::Cluster(_), None) => "the pool's cluster".into(),
        }
    }

    /// Whether all connections go to one address.
    pub(crate) fn has_one_address(&self) -> bool {
        matches!(self.kind, PoolKind::One(_))
    }

    /// The longest time for an attempt to connect, if the latest took `took`. A server that was
    /// reached in a millisecond gets less time than one that never was, so that a hanging server is
    /// noticed soon.
    pub(crate) fn connect_timeout(&self, took: Option<Duration>) -> Duration {
        match self.kind {
            PoolKind::One(_) => took.map_or(CONNECT_TIMEOUT, |took| {
                took.saturating_mul(SLACK)
                    .clamp(RECONNECT_TIMEOUT, CONNECT_TIMEOUT)
            }),
            #[cfg(feature = "sentinel")]
            PoolKind::Sentinel(_) => MULTI_NODE_TIMEOUT,
            #[cfg(feature = "cluster")]
            PoolKind::Cluster(_) => MULTI_NODE_TIMEOUT,
        }
    }

    /// The longest time for a verification of the store, a new connection included.
    pub(crate) fn verification(&self, deadline: Duration) -> Duration {
        self.connect_timeout(None)
            .saturating_add(deadline.saturating_mul(ROUND_TRIPS))
    }

    /// Whether its connections are to a cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        #[cfg(feature = "cluster")]
        if matches!(self.kind, PoolKind::Cluster(_)) {
            return true;
        }
        false
    }
}

impl From<PoolKind> for RedisPool {
    fn from(kind: PoolKind) -> Self {
        Self {
            kind,
            endpoint: None,
        }
    }
}

impl From<deadpool_redis::Pool> for RedisPool {
    fn from(pool: deadpool_redis::Pool) -> Self {
        PoolKind::One(pool).into()
    }
}

#[cfg(feature = "sentinel")]
impl From<deadpool_redis::sentinel::Pool> for RedisPool {
    fn from(pool: deadpool_redis::sentinel::Pool) -> Self {
        PoolKind::Sentinel(pool).into()
    }
}

#[cfg(feature = "cluster")]
impl From<deadpool_redis::cluster::Pool> for RedisPool {
    fn from(pool: deadpool_redis::cluster::Pool) -> Self {
        PoolKind::Cluster(pool).into()
    }
}

impl fmt::Debug for RedisPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, status) = match &self.kind {
            PoolKind::One(pool) => ("One", pool.status()),
            #[cfg(feature = "sentinel")]
            PoolKind::Sentinel(pool) => ("Sentinel", pool.status()),
            #[cfg(feature = "cluster")]
            PoolKind::Cluster(pool) => ("Cluster", pool.status()),
        };
        f.debug_tuple("RedisPool")
            .field(&kind)
            .field(&status)
            .finish()
    }
}

/// A new connection of this manager.
async fn create<M>(manager: &M) -> Result<M::Type, RedisError>
where
    M: Manager<Error = RedisError>,
{
    let created = manager.create();
    #[cfg(feature = "tls")]
    let created = super::tls::without_panic(created);
    created.await
}

/// Returns the connection once the server has replied on it.
///
/// A server that is full, or in protected mode, accepts a connection, sends an error and closes the
/// connection. The client may only see a broken connection. A probe of the address tells the
/// reason.
async fn greeted(
    made: Result<MultiplexedConnection, RedisError>,
    endpoint: &Endpoint,
) -> Result<MultiplexedConnection, RedisError> {
    let replied = match made {
        Ok(mut connection) => {
            let ping = redis::cmd("PING");
            match ping.query_async::<Value>(&mut connection).await {
                Err(error)
                    if error.is_io_error()
                        || error.kind() == ErrorKind::Parse
                        || error_text::turns_away(&error.to_string()) =>
                {
                    Err(error)
                }
                // Any other reply will do, even that this user may not send a `PING`.
                _ => Ok(connection),
            }
        }
        Err(error) => Err(error),
    };
    let error = match replied {
        Ok(connection) => return Ok(connection),
        Err(error) => error,
    };
    let mut said = Some(error.to_string());
    let is_refused =
        error.is_connection_refusal() || error_text::is_unknown_name(&error.to_string());
    // The client drops a refusal that comes in place of the reply to a password.
    let is_vague = error.is_io_error() || error.kind() == ErrorKind::AuthenticationFailed;
    if is_vague && !is_refused && !endpoint.is_tls() {
        said = endpoint.greeting().await;
    }
    match said.filter(|said| error_text::turns_away(said)) {
        Some(said) => Err(turned_away(&said)),
        None => Err(error),
    }
}

/// A connection error whose text quotes the server.
fn turned_away(said: &str) -> RedisError {
    let said = said.trim_start_matches('-');
    let advice = error_text::advice(said).unwrap_or("it takes no connections from here");
    let text = format!("the server turns clients away: {advice} (it says: {said})");
    io::Error::new(io::ErrorKind::ConnectionRefused, text).into()
}
