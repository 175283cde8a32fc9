//! What an error of the first look at a server means for the start.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::connection_guard::has_code as quotes;
use crate::error::{InitError, InitKind};

/// Tells what no waiting will mend from what may pass.
pub(super) fn judge(error: &RedisError) -> Result<(), InitError> {
    // One line, whatever the parser had to say.
    let said = error.to_string().replace(['\r', '\n'], " ");
    // A client of a cluster or of sentinels may only quote the error.
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
        // A script's command that is not allowed is told in words alone by some servers.
        (ErrorKind::Server(ServerErrorKind::NoPerm), _) => refused(NO_PERMISSION),
        _ if says("NOPERM") || says("no permissions") || says("can't run this command") => {
            refused(NO_PERMISSION)
        }
        _ if says("can't access at least one of the keys") => refused(NO_PERMISSION),
        _ if says("DB index is out of range") => Err(InitError::settings(format!(
            "the server has no database of this number; mend the end of its URL ({said})"
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
            wrong_server("what answers at this address is no Redis or Valkey")
        }
        _ if error.code() == Some("DENIED") => refused(
            "the server is in protected mode and answers none but its own machine; \
             give it a password or bind it to an address",
        ),
        (ErrorKind::Server(ServerErrorKind::ResponseError), _)
            if !says("max number of clients") && !may_pass(error) =>
        {
            wrong_server("the server refuses")
        }
        _ => {
            log::warn!(
                "the server for rate limits cannot be used right now ({said}); starting all the \
                 same, a connection is being tried for in the background"
            );
            Ok(())
        }
    }
}

const BAD_CREDENTIALS: &str = "the server does not accept the user or password; \
     set them in the URL: redis://user:password@host:port";
const NO_PERMISSION: &str = "the server's ACL does not let this user do what rate limits need; \
     the README's chapter on Redis lists the commands and keys";

/// A client of one server, told to ask others by each second answer.
pub(super) fn is_of_a_cluster() -> InitError {
    InitError::settings(
        "the server is a node of a cluster, and this connects to one server alone; build a \
         deadpool_redis::cluster::Pool (feature `cluster`) and hand it to `redis`",
    )
}

/// Whether a command inside the script failed for what the server is going through: memory is full,
/// a failover is under way, its disk fails.
fn may_pass(error: &RedisError) -> bool {
    ["OOM", "READONLY", "MASTERDOWN", "MISCONF", "NOREPLICAS"]
        .iter()
        .any(|code| quotes(error, code))
}

/// By what rustls says: its errors come wrapped, or quoted.
fn is_about_tls(said: &str) -> bool {
    [
        "peer certificate",
        "received corrupt message",
        "received fatal alert",
        // Of the trusted authorities' own file.
        "failed to read PEM",
    ]
    .iter()
    .any(|words| said.contains(words))
}
