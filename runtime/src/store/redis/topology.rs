//! Where connections come from.

use std::fmt;

use deadpool::managed::Manager as _;
use deadpool_redis::{Manager, Pool};
use redis::{IntoConnectionInfo, RedisError, aio::MultiplexedConnection, io::tcp::TcpSettings};

use crate::error::InitError;

/// A pool of connections to one Redis or Valkey.
#[derive(Clone)]
pub struct RedisPool(Pool);

impl RedisPool {
    /// A connection of its own for the caller, made on the caller's runtime. The pool's settings
    /// make it, but it is none of the pool's: an application that holds all of those, or a
    /// connection that another worker drives, is in nobody's way.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        self.0.manager().create().await
    }
}

impl From<Pool> for RedisPool {
    fn from(pool: Pool) -> Self {
        Self(pool)
    }
}

impl fmt::Debug for RedisPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisPool").field(&self.0.status()).finish()
    }
}

/// A pool for one server, with the settings that a limiter wants.
pub(crate) fn pool_for(url: &str) -> Result<RedisPool, InitError> {
    // Valkey's own schemes mean the same.
    let url = match url.split_once("://") {
        Some(("rediss" | "valkeys", _)) => {
            return Err(InitError::settings(
                "this version has no TLS; write redis://user:password@host:port/database",
            ));
        }
        Some(("valkey", rest)) => format!("redis://{rest}"),
        _ => url.to_owned(),
    };
    open(&url).map_err(|error| {
        InitError::settings(format!(
            "the server's URL cannot be right ({error}); \
             write redis://user:password@host:port/database"
        ))
    })
}

fn open(url: &str) -> Result<RedisPool, RedisError> {
    // Off by default, and then a small command may wait for the last one's acknowledgement.
    let tcp = TcpSettings::default().set_nodelay(true);
    let manager = Manager::new(url.into_connection_info()?.set_tcp_settings(tcp))?;
    let pool = Pool::builder(manager)
        .build()
        .map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(RedisPool(pool))
}
