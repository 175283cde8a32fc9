//! Classifies the errors of the startup check: an error either prevents the start, or it may pass.
//! The startup check calls this, and connecting to a URL uses its texts. It sends nothing.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::engine::store::redis::connection::{
    endpoint::Endpoint,
    error_text::{FULL, advice, is_about_tls, is_unknown_name},
    guard::has_code as quotes,
    topology::RedisPool,
};
use crate::engine::{
    error::{InitError, InitKind},
    log_throttle::TARGET,
};

/// Tells errors that no waiting can mend from errors that may pass, and logs the latter.
///
/// # Errors
///
/// An error that no waiting can mend.
pub(crate) fn classify(error: &RedisError, pool: &RedisPool) -> Result<(), InitError> {
    // The text must stay on one line, whatever the parser has reported.
    let said = error.to_string().replace(['\r', '\n'], " ");
    // Clients of clusters and sentinels may only quote the error, so its text is searched.
    let says = |what: &str| said.contains(what);
    let refused = |what: &str| {
        let detail = format!("{what} (the server says: {said})");
        Err(InitError::new(InitKind::Credentials, detail))
    };
    let wrong_server = |what: &str| {
        let detail = format!("{what}: {said}");
        Err(InitError::new(InitKind::Server, detail))
    };
    match (error.kind(), error.code()) {
        // Redis may also send this in place of the reply to a password.
        _ if says(FULL) => {
            warn(pool, &said);
            Ok(())
        }
        _ if says("protected mode") => refused(PROTECTED),
        _ if is_unknown_name(&said) && pool.has_one_address() => Err(is_unknown(pool, &said)),
        _ if says("received corrupt message") => Err(speaks_no_tls(pool)),
        _ if is_about_tls(&said) => wrong_server(
            "no TLS connection to the server: its certificate is not trusted or is for another \
             name, or the authorities that are trusted cannot be read. They are the platform's, or \
             those in the file that SSL_CERT_FILE names",
        ),
        (ErrorKind::AuthenticationFailed, _) | (_, Some("WRONGPASS" | "NOAUTH")) => {
            refused(BAD_CREDENTIALS)
        }
        _ if says("AuthenticationFailed") || says("WRONGPASS") || says("NOAUTH") => {
            refused(BAD_CREDENTIALS)
        }
        // Some servers report a script's forbidden command only in words, without a code.
        (ErrorKind::Server(ServerErrorKind::NoPerm), _) => refused(NO_PERMISSION),
        _ if says("NOPERM") || says("no permissions") || says("can't run this command") => {
            refused(NO_PERMISSION)
        }
        _ if says("can't access at least one of the keys") => refused(NO_PERMISSION),
        _ if says("DB index is out of range") => Err(InitError::settings(format!(
            "the server has no database with this number; correct the end of its URL ({said})"
        ))),
        _ if says("cluster support disabled") => Err(InitError::settings(format!(
            "the server is in no cluster, but the pool is a cluster's; build a \
             deadpool_redis::Pool, or use `redis_url` ({said})"
        ))),
        (ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::CrossSlot), _) => {
            Err(is_of_a_cluster())
        }
        (ErrorKind::InvalidClientConfig, _) => Err(InitError::settings(format!(
            "the server's URL or the pool cannot be right: {said}"
        ))),
        (ErrorKind::Parse | ErrorKind::UnexpectedReturnType, _) => {
            wrong_server("this address is not a Redis or Valkey server")
        }
        (ErrorKind::Server(ServerErrorKind::ResponseError), _) if !may_pass(error) => {
            wrong_server("the server refuses")
        }
        _ => {
            warn(pool, &said);
            Ok(())
        }
    }
}

/// Whether a probe of the address may tell more than this error: the two ends may speak different
/// protocols.
pub(crate) fn may_be_another_protocol(error: &RedisError) -> bool {
    let is_broken = error.is_io_error()
        && !error.is_connection_refusal()
        && !is_unknown_name(&error.to_string());
    is_broken
        || matches!(
            error.kind(),
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType
        )
}

/// The error of an address that speaks TLS where the URL asks for none, or the other way round.
pub(crate) fn speaks_the_other_protocol(pool: &RedisPool) -> InitError {
    if pool.endpoint().is_some_and(Endpoint::is_tls) {
        return speaks_no_tls(pool);
    }
    InitError::new(
        InitKind::Server,
        format!(
            "{} speaks TLS, and its URL asks for none: write rediss:// (feature `tls`), or the port \
             without TLS",
            pool.name()
        ),
    )
}

/// Logs that the server cannot be used right now, and may be later.
pub(crate) fn warn(pool: &RedisPool, said: &str) {
    let hint = hint(pool, said).map(|hint| format!(": {hint}"));
    log::warn!(
        target: TARGET,
        "{} cannot be used right now ({said}){}; the service starts, and the limiter keeps trying to \
         connect",
        pool.name(),
        hint.unwrap_or_default()
    );
}

/// The possible cause of an error, where the limiter cannot find it out.
fn hint(pool: &RedisPool, said: &str) -> Option<&'static str> {
    // The attempt to connect has found the cause for a URL without TLS, and the error names it.
    let is_closed = [
        "broken pipe",
        "onnection reset",
        "unexpected end of file",
        "handshake eof",
        "timed out",
        "no reply",
    ]
    .iter()
    .any(|words| said.contains(words));
    match pool.endpoint() {
        _ if said.contains(FULL) => advice(said).filter(|advice| !said.contains(advice)),
        None if is_closed => Some(
            "check whether its `maxclients` is reached, and whether its port and the pool agree \
             about TLS",
        ),
        Some(endpoint) if is_closed && endpoint.is_tls() => {
            Some("check whether its `maxclients` is reached")
        }
        _ => None,
    }
}

fn is_unknown(pool: &RedisPool, said: &str) -> InitError {
    let host = pool.endpoint().and_then(Endpoint::host);
    let what = match host {
        Some(host) => format!("there is no host `{host}`"),
        None => "there is no host with the name that the pool has".into(),
    };
    InitError::settings(format!(
        "{what}: the resolver does not know it; correct the URL, or start once the name is known ({said})"
    ))
}

fn speaks_no_tls(pool: &RedisPool) -> InitError {
    InitError::new(
        InitKind::Server,
        format!(
            "{} speaks no TLS, and its URL asks for it: write redis://, or the port for TLS",
            pool.name()
        ),
    )
}

const PROTECTED: &str = "the server is in protected mode and accepts only local connections; \
     give it a password or bind it to an address";

const BAD_CREDENTIALS: &str = "the server does not accept the user or password; \
     set them in the URL: redis://user:password@host:port";
const NO_PERMISSION: &str = "the server's ACL does not let this user do what rate limits need; \
     the guide's chapter on Redis permissions lists the commands and keys";

/// The error for a server that is a sentinel.
pub(crate) fn is_a_sentinel() -> InitError {
    InitError::settings(
        "the server is a sentinel, and this connects to it as if it were the master; build a \
         deadpool_redis::sentinel::Pool (feature `sentinel`) and hand it to `redis`",
    )
}

/// The error for a cluster node: it would redirect a client of a single server again and again.
pub(crate) fn is_of_a_cluster() -> InitError {
    InitError::settings(
        "the server is a node of a cluster, and this connects to one server alone; build a \
         deadpool_redis::cluster::Pool (feature `cluster`) and hand it to `redis`",
    )
}

/// Whether a command inside the script failed because of a condition that may pass: full memory, a
/// failover, a failing disk.
fn may_pass(error: &RedisError) -> bool {
    ["OOM", "READONLY", "MASTERDOWN", "MISCONF", "NOREPLICAS"]
        .iter()
        .any(|code| quotes(error, code))
}

#[cfg(test)]
mod tests;
