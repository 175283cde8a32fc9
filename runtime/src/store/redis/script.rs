//! The one script, its arguments and its reply.

use std::{collections::HashMap, sync::LazyLock};

use redis::{Cmd, Script};
use smallvec::SmallVec;

use crate::{
    algorithm::Wait,
    clock::Micros,
    decision::Verdict,
    key::Key,
    limit::{Algorithm, Limit, Refill},
    store::interface::{Check, Mode, Outcome, Outcomes, StoreError},
};

/// One file an algorithm, between what they share and what drives them.
const SOURCE: &str = concat!(
    include_str!("scripts/prelude.lua"),
    include_str!("scripts/sliding_window.lua"),
    include_str!("scripts/sliding_window_counter.lua"),
    include_str!("scripts/fixed_window.lua"),
    include_str!("scripts/bucket.lua"),
    include_str!("scripts/token_bucket.lua"),
    include_str!("scripts/leaky_bucket.lua"),
    include_str!("scripts/decide.lua"),
);

/// Hashed once.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SOURCE));

/// The numbers of one verdict in the reply: wait, blocked, remaining, reset.
const VERDICT: usize = 4;

/// One call of the script.
#[derive(Debug)]
pub(super) struct Call {
    keys: Vec<String>,
    packed: Vec<u8>,
}

impl Call {
    /// Decides these checks; `now` is the server's unless given.
    pub(super) fn decide(prefix: &str, checks: &[Check<'_>], now: Option<Micros>) -> Self {
        let mut call = Self::starting_at(now);
        let mut keys = Keys::new(prefix);
        for check in checks {
            let mode = match check.mode {
                Mode::Peek => 0,
                Mode::Charge => 1,
            };
            call.pack_check(mode, check, &mut keys);
        }
        call.keys = keys.texts;
        call
    }

    /// Blocks for `length` what this key of a block stands for.
    pub(super) fn block(prefix: &str, key: &Key<'_>, length: Micros, now: Option<Micros>) -> Self {
        let mut call = Self::starting_at(now);
        push(&mut call.packed, 2, 1);
        push(&mut call.packed, 0, 2);
        push(&mut call.packed, 1, 3);
        push(&mut call.packed, length, 6);
        call.keys.push(key.text(prefix));
        call
    }

    fn starting_at(now: Option<Micros>) -> Self {
        let mut packed = Vec::with_capacity(64);
        // 0 is "ask the server".
        push(&mut packed, now.unwrap_or(0), 7);
        Self {
            keys: Vec::new(),
            packed,
        }
    }

    /// As `decide.lua` unpacks it: big-endian integers of fixed widths, one argument in all, which
    /// costs the server a fraction of what an argument a number does.
    fn pack_check(&mut self, mode: u8, check: &Check<'_>, keys: &mut Keys<'_>) {
        let packed = &mut self.packed;
        push(packed, mode.into(), 1);
        push(packed, check.charges.len() as u64, 2);
        for charge in &check.charges {
            let limit = charge.limit;
            push(packed, code(limit).into(), 1);
            push(packed, limit.is_shadow().into(), 1);
            push(packed, keys.index(charge.key.text(keys.prefix)), 3);
            push(packed, keys.index(charge.key.block().text(keys.prefix)), 3);
            push(packed, limit.times().into(), 4);
            push(packed, limit.window_micros(), 6);
            push(packed, limit.quota().into(), 4);
            push(packed, charge.cost.into(), 4);
            push(packed, limit.block_micros(), 6);
        }
    }

    /// By hash, for a server that has the script.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", SCRIPT.get_hash())
    }

    /// By source, for a server that has not; it has, afterwards.
    pub(super) fn by_source(&self) -> Cmd {
        self.command("EVAL", SOURCE)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command
            .arg(script)
            .arg(self.keys.len())
            .arg(&self.keys)
            .arg(&self.packed);
        command
    }
}

/// The keys of one call, each once.
struct Keys<'a> {
    prefix: &'a str,
    texts: Vec<String>,
    /// Only filled for more keys than are quickly compared.
    indexes: HashMap<String, usize>,
}

impl<'a> Keys<'a> {
    /// Up to here comparing is faster than hashing.
    const FEW: usize = 8;

    fn new(prefix: &'a str) -> Self {
        Self {
            prefix,
            texts: Vec::new(),
            indexes: HashMap::new(),
        }
    }

    /// The place of `key` among the keys, from 1 as Lua counts.
    fn index(&mut self, key: String) -> u64 {
        let known = if self.texts.len() <= Self::FEW {
            self.texts.iter().position(|text| *text == key)
        } else {
            if self.indexes.is_empty() {
                let texts = self.texts.iter().cloned();
                self.indexes.extend(texts.zip(0..));
            }
            self.indexes.get(&key).copied()
        };
        let index = known.unwrap_or_else(|| {
            let index = self.texts.len();
            if !self.indexes.is_empty() {
                self.indexes.insert(key.clone(), index);
            }
            self.texts.push(key);
            index
        });
        index as u64 + 1
    }
}

/// The number of an algorithm in the script.
fn code(limit: &Limit) -> u8 {
    match (limit.kind(), limit.refill_kind()) {
        (Algorithm::SlidingWindow, _) => 1,
        (Algorithm::SlidingWindowCounter, _) => 2,
        (Algorithm::FixedWindow, _) => 3,
        (Algorithm::TokenBucket, Refill::Greedy) => 4,
        (Algorithm::TokenBucket, Refill::Interval) => 5,
        (Algorithm::LeakyBucket, _) => 6,
    }
}

/// The low `width` bytes of a number, most significant first.
fn push(packed: &mut Vec<u8>, number: u64, width: usize) {
    packed.extend_from_slice(&number.to_be_bytes()[8 - width..]);
}

/// Reads the script's reply to these checks.
pub(super) fn outcomes(reply: &[i64], checks: &[Check<'_>]) -> Result<Outcomes, StoreError> {
    let mut rest = reply;
    let outcomes = checks
        .iter()
        .map(|check| {
            let (allowed, tail) = rest.split_first()?;
            let (verdicts, tail) = tail.split_at_checked(VERDICT * check.charges.len())?;
            rest = tail;
            let verdicts: Option<SmallVec<_>> =
                verdicts.chunks_exact(VERDICT).map(verdict).collect();
            Some(Outcome {
                allowed: *allowed == 1,
                verdicts: verdicts?,
            })
        })
        .collect::<Option<Outcomes>>();
    match outcomes {
        Some(outcomes) if rest.is_empty() => Ok(outcomes),
        _ => Err(StoreError::new("the script's reply was not understood")),
    }
}

fn verdict(numbers: &[i64]) -> Option<Verdict> {
    let &[wait, blocked, remaining, reset] = numbers else {
        return None;
    };
    Some(Verdict {
        wait: match wait {
            0 => Wait::Fits,
            -1 => Wait::Never,
            wait => Wait::For(wait.try_into().ok()?),
        },
        blocked: blocked == 1,
        remaining: remaining.try_into().ok()?,
        reset: reset.try_into().ok()?,
    })
}
