//! One look at the server when a limiter is built.

use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind, aio::MultiplexedConnection};
use tokio::{runtime::Handle, time::timeout};

use super::{RedisStore, script::Call};
use crate::{
    error::{InitError, InitKind},
    identity::Identity,
    key::Key,
    limit::{Algorithm, Limit},
    store::interface::{Charge, Check, Mode},
};

/// Long enough for a name to resolve and a handshake across a continent.
const PATIENCE: Duration = Duration::from_secs(2);
/// The oldest server that the tests run against.
const OLDEST: (u32, u32) = (6, 2);

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
        match timeout(PATIENCE, self.look(&runtime)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Finding::Wrong(error))) => Err(error),
            Ok(Err(Finding::Server(error))) => judge(&error),
            Err(_) => {
                log::warn!(
                    "the server for rate limits has not answered within {PATIENCE:?}; starting \
                     all the same, it is asked again with each request"
                );
                Ok(())
            }
        }
    }

    async fn look(&self, runtime: &Handle) -> Result<(), Finding> {
        let mut loan = self.links.get(runtime).await?;
        check_version(&mut loan.connection).await?;
        // Loads the script, and shows whether this user may run it on such keys.
        let identity = Identity::new("probe");
        let limit = Limit::per_second(1).algorithm(Algorithm::FixedWindow);
        let charge = Charge {
            key: Key::counter(&identity, &limit),
            limit: &limit,
            cost: 1,
        };
        let check = Check {
            mode: Mode::Peek,
            charges: [charge].into_iter().collect(),
        };
        let call = Call::decide(&self.prefix, &[check], None);
        for command in [call.by_source(), call.by_hash()] {
            command
                .query_async::<Vec<i64>>(&mut loan.connection)
                .await?;
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

async fn check_version(connection: &mut MultiplexedConnection) -> Result<(), Finding> {
    let info: String = match redis::cmd("INFO")
        .arg("server")
        .query_async(connection)
        .await
    {
        Ok(info) => info,
        // A user who may not ask is no reason to refuse; the script will tell.
        Err(error) if error.code() == Some("NOPERM") => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let Some(version) = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"))
    else {
        return Ok(());
    };
    let mut numbers = version
        .trim()
        .split('.')
        .map_while(|part| part.parse().ok());
    let (major, minor): (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if (major, minor) < OLDEST {
        let detail = format!(
            "the server is Redis {}; rate limits need Redis {}.{} or newer, or any Valkey",
            version.trim(),
            OLDEST.0,
            OLDEST.1
        );
        return Err(Finding::Wrong(InitError::new(InitKind::Server, detail)));
    }
    Ok(())
}

/// Tells what no waiting will mend from what may pass.
fn judge(error: &RedisError) -> Result<(), InitError> {
    // One line, whatever the parser had to say.
    let said = error.to_string().replace(['\r', '\n'], " ");
    let refused = |what: &str| {
        let detail = format!("{what} (the server says: {said})");
        Err(InitError::new(InitKind::Credentials, detail))
    };
    let no_permission = || {
        refused(
            "the server's ACL does not let this user do what rate limits need; the README's \
             chapter on Redis lists the commands and keys",
        )
    };
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("WRONGPASS" | "NOAUTH")) => refused(
            "the server does not accept the user or password; \
             set them in the URL: redis://user:password@host:port",
        ),
        (ErrorKind::Server(ServerErrorKind::NoPerm), _) | (_, Some("NOPERM")) => no_permission(),
        // While connecting, the client wraps what the server said.
        _ if said.contains("no permissions") => no_permission(),
        _ if said.contains("DB index is out of range") => Err(InitError::settings(format!(
            "the server has no database of this number; mend the end of its URL ({said})"
        ))),
        (ErrorKind::InvalidClientConfig, _) => Err(InitError::settings(format!(
            "the server's URL cannot be right: {said}"
        ))),
        (ErrorKind::Parse | ErrorKind::UnexpectedReturnType, _) => Err(InitError::new(
            InitKind::Server,
            format!("what answers at this address is no Redis or Valkey: {said}"),
        )),
        _ if error.code() == Some("DENIED") => refused(
            "the server is in protected mode and answers none but its own machine; \
             give it a password or bind it to an address",
        ),
        (ErrorKind::Server(ServerErrorKind::ResponseError), _)
            if !said.contains("max number of clients") =>
        {
            Err(InitError::new(
                InitKind::Server,
                format!("the server refuses: {said}"),
            ))
        }
        _ => {
            log::warn!(
                "the server for rate limits cannot be used right now ({said}); starting all the \
                 same, it is asked again with each request"
            );
            Ok(())
        }
    }
}
