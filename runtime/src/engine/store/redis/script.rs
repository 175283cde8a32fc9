//! The Lua script that decides checks, and the calls of it. The call builder makes the calls of
//! checks, and the store those about a block. This module sends nothing.

use std::sync::LazyLock;

#[cfg(feature = "cluster")]
use actix_throttle_core::check::Charge;
use actix_throttle_core::{
    decide::Precedence,
    key::{Key, Naming},
    stored::bytes::push,
    time::Micros,
};
use redis::{Cmd, Script};

use super::{key_table::KeyTable, limit_table::LimitTable};
#[cfg(feature = "cluster")]
use super::{limit_table::push_steps, script_call::ScriptCall};
use crate::engine::{clock::wall, store::key_hash::KeyHasher};

/// The source of the script: one file per algorithm, between their common functions and the main
/// loop.
const SOURCE: &str = concat!(
    include_str!("scripts/prelude.lua"),
    include_str!("scripts/mul_div.lua"),
    include_str!("scripts/make.lua"),
    include_str!("scripts/sliding_window.lua"),
    include_str!("scripts/sliding_window_counter.lua"),
    include_str!("scripts/fixed_window.lua"),
    include_str!("scripts/calendar_window.lua"),
    include_str!("scripts/bucket.lua"),
    include_str!("scripts/token_bucket.lua"),
    include_str!("scripts/leaky_bucket.lua"),
    include_str!("scripts/concurrency.lua"),
    include_str!("scripts/marks.lua"),
    include_str!("scripts/read.lua"),
    include_str!("scripts/history.lua"),
    include_str!("scripts/rare.lua"),
    include_str!("scripts/decide.lua"),
);

/// Bytes for a command's name and the number of its keys.
const COMMAND_OVERHEAD: usize = 32;

/// The script with its SHA-1 hash, which is computed once.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SOURCE));

/// One call of the script: its keys and its packed argument.
#[derive(Debug)]
pub(super) struct Call {
    keys: KeyTable,
    pub(super) packed: Vec<u8>,
    /// Whether the last key is the marker that the call sets with a block.
    has_marker: bool,
    /// Whether the last key is the idempotency key of the call.
    #[cfg(feature = "cluster")]
    has_idempotency_key: bool,
    /// The time for which Redis remembers that the call was carried out, in milliseconds.
    #[cfg(feature = "cluster")]
    ttl: u32,
}

/// The way in which the script recognises a call that a cluster client has sent twice.
#[cfg(feature = "cluster")]
#[derive(Clone, Copy, Debug)]
pub(super) enum Repeat<'a> {
    /// An idempotency key.
    Key(&'a str),
    /// A mark of 48 bits in the value of the one key that the call names: see `marks.lua`.
    Mark(u64),
    /// Nothing, because the call is idempotent.
    Harmless,
}

/// The context that all calls of a store share.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallContext<'a> {
    pub(super) naming: &'a Naming,
    pub(super) hasher: &'a KeyHasher,
    /// The time that the script goes by, and what this process believes it to be, in microseconds;
    /// `None` is Redis' own.
    pub(super) now: Option<(Micros, Micros)>,
    /// The time for which Redis remembers that a call was carried out, in milliseconds. It is set
    /// for a connection that may send a call twice.
    #[cfg(feature = "cluster")]
    pub(super) remember_for: Option<u32>,
}

impl CallContext<'_> {
    /// Whether blocks set a marker: not in a cluster, where its slot would be another one.
    #[cfg(feature = "cluster")]
    fn has_block_marker(&self) -> bool {
        self.remember_for.is_none()
    }

    #[cfg(not(feature = "cluster"))]
    #[expect(clippy::unused_self)]
    fn has_block_marker(&self) -> bool {
        true
    }
}

/// The flag in a call's `ttl` that says that a mark follows the head.
#[cfg(feature = "cluster")]
const MARKED: u32 = 1 << 31;
/// The longest life of a mark or an idempotency key, in milliseconds.
#[cfg(feature = "cluster")]
pub(super) const MAX_TTL: u32 = MARKED - 1;

/// The codes of calls about a block. No [`Mode`](actix_throttle_core::check::Mode) of a check has
/// them.
const BLOCK: u64 = 2;
#[cfg(feature = "cluster")]
const BLOCK_UNLESS_BLOCKED: u64 = 7;
#[cfg(feature = "cluster")]
pub(super) const BLOCKED_FOR: u64 = 8;

impl CallContext<'_> {
    /// The time at which the script is believed to run, in microseconds: Redis' own time may differ
    /// by as much as the clocks of the machines do.
    pub(super) fn expected_now(&self) -> Micros {
        self.now.map_or_else(wall, |(_, believed)| believed)
    }
}

impl Call {
    /// A call that blocks the identity of a block's key for `length` microseconds, unless a block
    /// that takes precedence is in force.
    pub(super) fn block(
        context: &CallContext<'_>,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> Self {
        let mut call = Self::of_block(
            BLOCK,
            context,
            key,
            #[cfg(feature = "cluster")]
            Repeat::Mark(random_mark()),
        );
        push(&mut call.packed, length, 6);
        let is_longest = precedence == Precedence::Longest;
        push(&mut call.packed, is_longest.into(), 1);
        call
    }

    /// A call that blocks as the charge's limit says, unless there is a block already.
    #[cfg(feature = "cluster")]
    pub(super) fn block_unless_blocked(context: &CallContext<'_>, charge: &Charge<'_>) -> Self {
        let mark = Repeat::Mark(random_mark());
        let mut call = Self::of_block(BLOCK_UNLESS_BLOCKED, context, &charge.key.block(), mark);
        push(&mut call.packed, charge.limit.block_micros(), 6);
        push_steps(&mut call.packed, charge.limit.steps());
        call
    }

    fn of_block(
        mode: u64,
        context: &CallContext<'_>,
        key: &Key<'_>,
        #[cfg(feature = "cluster")] repeat: Repeat<'_>,
    ) -> Self {
        let mut keys = KeyTable::new(context.naming);
        let index = keys.index_of(key, context.hasher);
        let mut call = Self::start(
            context,
            keys,
            &LimitTable::of_block(),
            #[cfg(feature = "cluster")]
            repeat,
        );
        push(&mut call.packed, 1, 2);
        push_block(&mut call.packed, mode, index);
        call
    }

    /// A call without checks. In a cluster it is carried out once, however often the client sends
    /// it.
    pub(super) fn start(
        context: &CallContext<'_>,
        mut keys: KeyTable,
        limits: &LimitTable,
        #[cfg(feature = "cluster")] repeat: Repeat<'_>,
    ) -> Self {
        let mut packed = Vec::with_capacity(128);
        // A time of 0 means Redis' own.
        push(&mut packed, context.now.map_or(0, |(now, _)| now), 7);
        #[cfg(feature = "cluster")]
        let (ttl, mark) = match (context.remember_for, repeat) {
            (None, _) | (_, Repeat::Harmless) => (0, None),
            (Some(ttl), Repeat::Key(_)) => (ttl, None),
            (Some(ttl), Repeat::Mark(mark)) => (ttl | MARKED, Some(mark)),
        };
        #[cfg(not(feature = "cluster"))]
        let (ttl, mark): (u32, Option<u64>) = (0, None);
        push(&mut packed, ttl.into(), 4);
        push(&mut packed, limits.count(), 2);
        if let Some(mark) = mark {
            push(&mut packed, mark, 6);
        }
        packed.extend_from_slice(limits.packed());
        #[cfg(feature = "cluster")]
        if let (Repeat::Key(name), true) = (repeat, context.remember_for.is_some()) {
            keys.add(|_, texts| texts.push_str(name));
        }
        let has_marker = limits.has_blocks && context.has_block_marker();
        if has_marker {
            keys.add(|naming, texts| naming.write_block_marker(texts));
        }
        Self {
            keys,
            packed,
            has_marker,
            #[cfg(feature = "cluster")]
            has_idempotency_key: context.remember_for.is_some() && matches!(repeat, Repeat::Key(_)),
            #[cfg(feature = "cluster")]
            ttl: context.remember_for.unwrap_or(0),
        }
    }

    /// The call by `EVALSHA`, for a server that has cached the script.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", SCRIPT.get_hash())
    }

    /// The call by `EVAL`, for a server that has not; the server then caches the script.
    pub(super) fn by_source(&self) -> Cmd {
        self.command("EVAL", SOURCE)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        // The buffer is allocated at once, because it would otherwise grow with each argument.
        let length = script.len() + self.keys.length() + self.packed.len() + COMMAND_OVERHEAD;
        let mut command = Cmd::with_capacity(self.keys.len() + 4, length);
        command.arg(name).arg(script).arg(self.keys.len());
        for key in self.keys.iter() {
            command.arg(key);
        }
        command.arg(&self.packed);
        if self.has_marker {
            command.arg("1");
        }
        command
    }
}

#[cfg(feature = "cluster")]
impl ScriptCall for Call {
    fn first_key(&self) -> &str {
        self.keys.iter().next().unwrap_or_default()
    }

    fn only_key(&self) -> Option<&str> {
        self.keys.iter().next().filter(|_| self.keys.len() == 1)
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.has_idempotency_key
            .then(|| self.keys.iter().last())
            .flatten()
    }

    fn ttl(&self) -> u32 {
        self.ttl
    }

    fn by_hash(&self) -> Cmd {
        self.by_hash()
    }

    fn by_source(&self) -> Cmd {
        self.by_source()
    }
}

/// A random mark of 48 bits, never 0.
#[cfg(feature = "cluster")]
pub(super) fn random_mark() -> u64 {
    fastrand::u64(1..1 << 48)
}

/// Packs a check about a block alone.
pub(super) fn push_block(packed: &mut Vec<u8>, mode: u64, index: u64) {
    push(packed, mode, 1);
    // The check has no limits, and zeros in place of the index of a limit and of its counter.
    push(packed, 0, 2 + 2 + 3);
    push(packed, index, 3);
}
