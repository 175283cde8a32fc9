//! The arguments of `throttle redis`.

use std::{path::PathBuf, time::Duration};

use actix_throttle_core::{key::check_prefix, limit::Limit, text::duration};
use clap::{Args, Subcommand};

#[derive(Args, Debug)]
pub(crate) struct RedisArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArguments {
    /// The server, any node of a cluster, or a sentinel: redis://user:password@host:port/database,
    /// or rediss://… for TLS [can be repeated: the first one that can be reached counts]
    #[arg(long, global = true, env = "REDIS_URL", hide_env_values = true)]
    pub(crate) url: Vec<String>,
    /// The prefix of the keys, as the application sets it
    #[arg(long, global = true, default_value = "throttle", value_parser = prefix)]
    pub(crate) prefix: String,
    /// The name of a master; `--url` then names sentinels
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) sentinel: Option<String>,
    /// With `--sentinel`: the user, the password, the database and the scheme for the master; its
    /// host is not used
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "REDIS_MASTER_URL",
        hide_env_values = true
    )]
    pub(crate) master_url: Option<String>,
    /// A file of certificate authorities to trust, in place of those of the platform
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The certificate of this client, with `--key`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The key of the certificate
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The longest time for a connection, and for a reply
    #[arg(long, global = true, default_value = "5s", value_parser = timeout)]
    pub(crate) timeout: Duration,
    /// The most keys to look at, those of other applications included
    #[arg(long, global = true, default_value_t = 1_000_000, value_name = "N")]
    pub(crate) max_keys: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// List counters, permits and blocks
    List {
        #[command(flatten)]
        listed: Listed,
        /// Only blocks
        #[arg(long)]
        blocks: bool,
        /// The most rows; the scan ends with them
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
    },
    /// Show the counters, permits and blocks of one identity
    Show {
        /// The identity: 192.0.2.1, user=42, header.x-api-key=secret, global
        id: String,
        #[command(flatten)]
        listed: Listed,
    },
    /// Show the counters and permits of which most is used
    Top {
        #[command(flatten)]
        listed: Listed,
        /// The number of rows
        #[arg(long, default_value_t = 10, value_name = "N")]
        limit: usize,
    },
    /// Forget what an identity has used, or everyone, and end the blocks
    Reset {
        /// The identity: 192.0.2.1, user=42, header.x-api-key=secret, global
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// Everyone, in place of one identity
        #[arg(long)]
        all: bool,
        /// Only this zone [can be repeated]
        #[arg(long, value_name = "ZONE")]
        zone: Vec<String>,
        /// Free the permits that are held, too
        #[arg(long)]
        permits: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Deny an identity everything for a time
    Block(BlockArguments),
    /// End the blocks of an identity
    Unblock {
        #[command(flatten)]
        target: Target,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Listed {
    /// Only this zone [can be repeated]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Vec<String>,
    #[command(flatten)]
    pub(crate) watch: Watch,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// Show it again and again, every 2 s or as given
    #[arg(
        long = "watch",
        value_name = "PAUSE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2s",
        value_parser = pause,
    )]
    pub(crate) pause: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct Target {
    /// The identity: 192.0.2.1, user=42, header.x-api-key=secret, global
    pub(crate) id: String,
    /// Only this zone [can be repeated]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct BlockArguments {
    /// The identity: 192.0.2.1, user=42, header.x-api-key=secret, global
    pub(crate) id: String,
    /// The length, from 1 ms to 366 days: 10m, 1h 30m
    #[arg(long = "for", value_name = "LENGTH", value_parser = block_length)]
    pub(crate) length: Duration,
    /// The zone [can be repeated; default: each zone in which the identity has counters]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Vec<String>,
    /// Block it in the shadow limits of the zone, too
    #[arg(long)]
    pub(crate) shadow: bool,
}

fn prefix(text: &str) -> Result<String, &'static str> {
    check_prefix(text).map(|()| text.to_owned())
}

fn timeout(text: &str) -> Result<Duration, String> {
    positive(text, "--timeout 5s")
}

fn pause(text: &str) -> Result<Duration, String> {
    positive(text, "--watch=2s")
}

fn positive(text: &str, example: &str) -> Result<Duration, String> {
    match duration::parse(text, example)? {
        Duration::ZERO => Err(format!("must be above 0; write `{example}`")),
        duration => Ok(duration),
    }
}

fn block_length(text: &str) -> Result<Duration, String> {
    let length = duration::parse(text, "--for 10m")?;
    // The range is that of `block` everywhere else.
    let limit = Limit::per_second(1).block(length);
    limit.validate().map_err(|error| error.to_string())?;
    Ok(length)
}
