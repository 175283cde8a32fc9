//! A user and a password that may change while connections are open.

use std::pin::Pin;

use actix_throttle::deadpool_redis::{
    Manager, Pool, PoolError,
    redis::{
        AsyncConnectionConfig, BasicAuth, IntoConnectionInfo, RedisResult,
        StreamingCredentialsProvider, io::tcp::TcpSettings,
    },
};
use futures_util::{Stream, stream};
use tokio::sync::watch;

/// The current credentials. The sender of the channel changes them.
#[derive(Clone)]
pub(crate) struct Credentials(pub(crate) watch::Receiver<BasicAuth>);

/// Each connection subscribes to a stream. Its first credentials open the connection; each further
/// item authenticates the connection again.
impl StreamingCredentialsProvider for Credentials {
    fn subscribe(&self) -> Pin<Box<dyn Stream<Item = RedisResult<BasicAuth>> + Send>> {
        let mut changes = self.0.clone();
        changes.mark_changed();
        Box::pin(stream::unfold(changes, async |mut changes| {
            // The stream ends when the sender is dropped.
            changes.changed().await.ok()?;
            let now = changes.borrow_and_update().clone();
            Some((Ok(now), changes))
        }))
    }
}

/// Returns a pool for the server at this URL, which contains no user or password.
pub(crate) fn pool(url: &str, credentials: Credentials) -> Result<Pool, PoolError> {
    let tcp = TcpSettings::default().set_nodelay(true);
    let info = url.into_connection_info()?.set_tcp_settings(tcp);
    let config = AsyncConnectionConfig::new().set_credentials_provider(credentials);
    let pool = Pool::builder(Manager::new_with_config(info, config)?).build();
    pool.map_err(|_| unreachable!("without time-outs a pool needs no runtime"))
}
