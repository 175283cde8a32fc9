//! Settings from the environment.

use std::{fmt::Display, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    case::{CASES, Case},
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Number of rounds. Every case is measured once in each.
    pub(crate) rounds: u32,
    /// Length of a measurement, in seconds.
    pub(crate) seconds: u32,
    /// Threads of the HTTP server.
    pub(crate) workers: usize,
    /// The cases to measure, by their ids; empty: all.
    #[serde(default)]
    pub(crate) only: Vec<String>,
    /// The binary of Redis. The report does not contain its path.
    #[serde(skip)]
    pub(crate) redis_server: PathBuf,
    /// The binary of Valkey 9.
    #[serde(skip)]
    pub(crate) valkey_server: PathBuf,
}

impl Settings {
    pub(crate) fn cases(&self) -> Vec<&'static Case> {
        let chosen =
            |case: &&Case| self.only.is_empty() || self.only.iter().any(|id| id == case.id);
        CASES.iter().filter(chosen).collect()
    }

    pub(crate) fn from_env() -> Result<Self> {
        let redis = std::env::var_os("THROTTLE_TEST_REDIS7");
        let valkey = std::env::var_os("THROTTLE_TEST_VALKEY9");
        Ok(Self {
            rounds: number("ROUNDS", 5)?,
            seconds: number("SECONDS_EACH", 2)?,
            workers: number("WORKERS", 1)?,
            only: named_cases(&std::env::var("ONLY").unwrap_or_default())?,
            redis_server: redis.map_or_else(|| "redis-server".into(), PathBuf::from),
            valkey_server: valkey.map_or_else(|| "valkey-server".into(), PathBuf::from),
        })
    }
}

/// Parses ids separated by commas.
fn named_cases(text: &str) -> Result<Vec<String>> {
    let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    match ids
        .iter()
        .find(|id| CASES.iter().all(|case| case.id != **id))
    {
        Some(unknown) => {
            Err(format!("ONLY: there is no case {unknown}; see compare/case.rs").into())
        }
        None => Ok(ids),
    }
}

/// Parses a whole number from 1.
fn number<N>(variable: &str, default: N) -> Result<N>
where
    N: FromStr<Err: Display> + From<u8> + PartialOrd,
{
    let Ok(text) = std::env::var(variable) else {
        return Ok(default);
    };
    match text.parse() {
        Ok(value) if value >= N::from(1) => Ok(value),
        Ok(_) => Err(format!("{variable}: must be at least 1").into()),
        Err(error) => Err(format!("{variable}={text}: {error}").into()),
    }
}
