//! Makes a pool from a Redis URL, with the settings that a limiter needs. The builder calls it for
//! `redis_url`. Nothing connects here.

use std::time::Duration;

use actix_throttle_core::text::redis_url::{self, UrlParts};
use deadpool_redis::{Manager, Pool};
use redis::{
    AsyncConnectionConfig, ConnectionInfo, IntoConnectionInfo, RedisError,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use crate::engine::error::InitError;
use crate::engine::store::redis::connection::{endpoint::Endpoint, topology::RedisPool};

/// The idle time and the interval of TCP keepalive probes, which the kernel sends where the
/// reconnect task sends no `PING`. The probes also keep NAT and load balancers from taking the
/// connection for idle.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The time after which the kernel closes a connection whose data is not acknowledged
/// (`TCP_USER_TIMEOUT`, RFC 5482). The reconnect task has replaced the connection by then; the
/// close ends the calls that wait on it.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// A pool for the server at this URL.
///
/// # Errors
///
/// If the URL is invalid, or asks for something that is not supported.
pub(crate) fn pool_for(url: &str) -> Result<RedisPool, InitError> {
    refuse_what_is_not_supported(url)?;
    check_parts(url)?;
    open(url).map_err(|error| {
        let form = redis_url::FORM;
        InitError::settings(format!(
            "the server's URL cannot be right ({error}); {form}"
        ))
    })
}

/// Refuses URLs that the client would misread, or would reject with little explanation.
fn refuse_what_is_not_supported(url: &str) -> Result<(), InitError> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok(());
    };
    let is_tls = matches!(scheme, "rediss" | "valkeys");
    if is_tls && !cfg!(feature = "tls") {
        return Err(InitError::settings(format!(
            "{scheme}:// needs TLS, but this build does not have it; enable the feature `tls` of \
             actix-throttle"
        )));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A comma in a password does not separate hosts.
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    if hosts.contains(',') {
        return Err(InitError::settings(
            "`redis_url` takes the URL of one server; for a cluster build a \
             deadpool_redis::cluster::Pool (feature `cluster`), for sentinels a \
             deadpool_redis::sentinel::Pool (feature `sentinel`), and hand it to `redis`",
        ));
    }
    if is_tls && rest.ends_with("#insecure") {
        return Err(InitError::settings(
            "certificates are always checked, #insecure is not supported; for a certificate of \
             your own, name its authority in the variable SSL_CERT_FILE or build a pool as the \
             documentation of `redis_url` shows",
        ));
    }
    Ok(())
}

/// Refuses parts of the URL that the client would silently ignore.
fn check_parts(url: &str) -> Result<(), InitError> {
    // The client reports a text that is no URL.
    let Some(url) = redis::parse_redis_url(url) else {
        return Ok(());
    };
    let parts = UrlParts {
        scheme: url.scheme(),
        parameters: url.query_pairs(),
        fragment: url.fragment(),
        time_limit: "the builder's `deadline` says how long a decision may take",
    };
    parts.check().map_err(InitError::settings)
}

fn open(url: &str) -> Result<RedisPool, RedisError> {
    let tcp = tcp_settings();
    let info: ConnectionInfo = url.into_connection_info()?.set_tcp_settings(tcp);
    // The client would ignore the replies to `CLIENT SETINFO`, and with them the reason of a server
    // that turns it away in place of the first reply.
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    let info = info.set_redis_settings(settings);
    let endpoint = Endpoint::of(&info);
    #[cfg(feature = "tls")]
    if endpoint.is_tls() {
        super::tls::provide_cryptography();
    }
    // The reconnect task limits each attempt to connect, and the executor each request.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None);
    let manager = Manager::new_with_config(info, config)?;
    let pool = Pool::builder(manager)
        .build()
        .map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(RedisPool::at(endpoint, pool))
}

fn tcp_settings() -> TcpSettings {
    let probes = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE);
    // Nagle's algorithm (RFC 896) may hold a small command back until the last one is acknowledged,
    // unless nodelay is set.
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(probes);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(UNACKNOWLEDGED);
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_url_are_checked_as_the_client_parses_them() {
        for url in [
            "localhost:6379",
            "redis://h?",
            "redis://h/4?protocol=resp3",
            "valkey://h/#",
            "unix:///s?db=4&user=u&pass=p&protocol=3",
        ] {
            assert!(check_parts(url).is_ok(), "{url}");
        }
        for (url, advice) in [
            ("redis://h/0?socket_timeout=5", "`deadline`"),
            ("valkeys://h/?database=2", "redis://host:port/2"),
            ("redis://h/0#cache", "follows `#`"),
            ("redis://ann:12?hunter2@h", "%3F"),
        ] {
            let error = check_parts(url).unwrap_err();
            assert!(error.is_settings());
            let said = error.to_string();
            assert!(said.contains(advice), "{url}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
