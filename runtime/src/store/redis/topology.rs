//! Where connections come from: one server, the master that sentinels name, or a cluster.

use std::{fmt, time::Duration};

use deadpool::managed::Manager as _;
use redis::RedisError;

use super::connection::Connection;

/// For one attempt to connect to a server, names and handshakes included. Far above a request's
/// deadline: a server at a distance is to be reached in the end.
const ONE_DOOR: Duration = Duration::from_secs(2);
/// The least for one to a server that was reached before, and by how much the next attempt may take
/// longer than the latest.
const NEAR_DOOR: Duration = Duration::from_millis(500);
const SLACK: u32 = 20;
/// For one that knocks at several doors in turn, each with a limit of the client's own of a second:
/// a node that says nothing must not keep the others from being reached.
#[cfg(any(feature = "cluster", feature = "sentinel"))]
const MANY_DOORS: Duration = Duration::from_secs(10);

/// Where connections to Redis or Valkey come from: a `deadpool_redis::Pool`, or its `cluster::Pool`
/// (feature `cluster`) or `sentinel::Pool` (feature `sentinel`).
///
/// A limiter connects as the pool is set up to, one connection a worker, and takes none of those that
/// the pool holds. Name several nodes to a cluster's pool: each connection begins at one of them.
///
/// # TLS
///
/// The feature `tls` uses rustls with the process's default provider of cryptography. An application
/// that has one of its own installs it before a limiter is built; else that of `ring` is installed.
/// Trusted are the authorities of the platform, or those in the file that the variable `SSL_CERT_FILE`
/// names. For an authority that only one pool is to trust, or a certificate of the client's own:
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
pub struct RedisPool(Kind);

#[derive(Clone)]
enum Kind {
    One(deadpool_redis::Pool),
    #[cfg(feature = "sentinel")]
    Sentinel(deadpool_redis::sentinel::Pool),
    #[cfg(feature = "cluster")]
    Cluster(deadpool_redis::cluster::Pool),
}

impl RedisPool {
    /// A connection of its own for the caller, made on the caller's runtime. The pool's settings
    /// make it, but it is none of the pool's: an application that holds all of those, or a
    /// connection that another worker drives, is in nobody's way.
    pub(super) async fn connect(&self) -> Result<Connection, RedisError> {
        // Whether a pool's URLs want it cannot be seen from here.
        #[cfg(feature = "tls")]
        super::tls::provide_cryptography();
        match &self.0 {
            Kind::One(pool) => pool.manager().create().await.map(Into::into),
            // Asks the sentinels each time, and the server that they name for its role.
            #[cfg(feature = "sentinel")]
            Kind::Sentinel(pool) => pool.manager().create().await.map(Into::into),
            #[cfg(feature = "cluster")]
            Kind::Cluster(pool) => pool.manager().create().await.map(Into::into),
        }
    }

    /// The longest time for an attempt to connect, where the latest took so long. A server that was
    /// reached in a millisecond is not waited for as long as one that never was: what hangs is to be
    /// found out soon.
    pub(super) fn patience(&self, took: Option<Duration>) -> Duration {
        match self.0 {
            Kind::One(_) => took.map_or(ONE_DOOR, |took| {
                took.saturating_mul(SLACK).clamp(NEAR_DOOR, ONE_DOOR)
            }),
            #[cfg(feature = "sentinel")]
            Kind::Sentinel(_) => MANY_DOORS,
            #[cfg(feature = "cluster")]
            Kind::Cluster(_) => MANY_DOORS,
        }
    }

    /// The longest time that a verification of the store takes, a connection included.
    pub(crate) fn verification(&self, deadline: Duration) -> Duration {
        self.patience(None)
            .saturating_add(deadline.saturating_mul(2))
    }

    /// Whether its connections find the way about in a cluster.
    pub(super) fn is_cluster(&self) -> bool {
        #[cfg(feature = "cluster")]
        if matches!(self.0, Kind::Cluster(_)) {
            return true;
        }
        false
    }
}

impl From<deadpool_redis::Pool> for RedisPool {
    fn from(pool: deadpool_redis::Pool) -> Self {
        Self(Kind::One(pool))
    }
}

#[cfg(feature = "sentinel")]
impl From<deadpool_redis::sentinel::Pool> for RedisPool {
    fn from(pool: deadpool_redis::sentinel::Pool) -> Self {
        Self(Kind::Sentinel(pool))
    }
}

#[cfg(feature = "cluster")]
impl From<deadpool_redis::cluster::Pool> for RedisPool {
    fn from(pool: deadpool_redis::cluster::Pool) -> Self {
        Self(Kind::Cluster(pool))
    }
}

impl fmt::Debug for RedisPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, status) = match &self.0 {
            Kind::One(pool) => ("One", pool.status()),
            #[cfg(feature = "sentinel")]
            Kind::Sentinel(pool) => ("Sentinel", pool.status()),
            #[cfg(feature = "cluster")]
            Kind::Cluster(pool) => ("Cluster", pool.status()),
        };
        f.debug_tuple("RedisPool")
            .field(&kind)
            .field(&status)
            .finish()
    }
}
