//! The one script and its arguments.

use std::{collections::HashMap, sync::LazyLock};

use redis::{Cmd, Script};

use crate::{
    clock::Micros,
    key::Key,
    limit::{Algorithm, Limit, Refill},
    store::interface::{Check, Mode},
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

/// One call of the script.
#[derive(Debug)]
pub(super) struct Call {
    keys: Vec<String>,
    packed: Vec<u8>,
}

/// What all calls of a store have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub(super) prefix: &'a str,
    /// The time to go by; `None` is the server's.
    pub(super) now: Option<Micros>,
    /// For a connection that may send a call twice: how long to remember that it was carried out,
    /// in milliseconds.
    #[cfg(feature = "cluster")]
    pub(super) once: Option<u32>,
}

impl Call {
    /// Decides these checks.
    pub(super) fn decide(terms: &Terms<'_>, checks: &[Check<'_>]) -> Self {
        let mut first = checks.iter().flat_map(|check| &check.charges);
        let writes = checks.iter().any(|check| check.mode != Mode::Peek);
        let once = first.next().filter(|_| writes);
        let (mut call, mut keys) = Self::start(terms, once.map(|charge| &charge.key));
        for check in checks {
            call.pack_check(check, &mut keys);
        }
        call.keys = keys.texts;
        call
    }

    /// Blocks for `length` what this key of a block stands for.
    pub(super) fn block(terms: &Terms<'_>, key: &Key<'_>, length: Micros) -> Self {
        let (mut call, mut keys) = Self::start(terms, Some(key));
        let index = keys.index(key.text(terms.prefix));
        push(&mut call.packed, 2, 1);
        push(&mut call.packed, 0, 2);
        push(&mut call.packed, index, 3);
        push(&mut call.packed, length, 6);
        call.keys = keys.texts;
        call
    }

    /// `once` is a key of the call's slot, if it may not be carried out twice.
    fn start<'a>(terms: &Terms<'a>, once: Option<&Key<'_>>) -> (Self, Keys<'a>) {
        let mut packed = Vec::with_capacity(64);
        let mut keys = Keys::new(terms.prefix);
        // 0 is "ask the server".
        push(&mut packed, terms.now.unwrap_or(0), 7);
        #[cfg(feature = "cluster")]
        let life = match (once, terms.once) {
            (Some(key), Some(life)) => {
                keys.index(key.once_text(terms.prefix, fastrand::u64(..)));
                life
            }
            _ => 0,
        };
        #[cfg(not(feature = "cluster"))]
        let life = {
            let _ = (once, &mut keys);
            0_u32
        };
        // 0 is "as often as it is sent".
        push(&mut packed, life.into(), 4);
        let call = Self {
            keys: Vec::new(),
            packed,
        };
        (call, keys)
    }

    /// As `decide.lua` unpacks it: big-endian integers of fixed widths, one argument in all, which
    /// costs the server a fraction of what an argument a number does.
    fn pack_check(&mut self, check: &Check<'_>, keys: &mut Keys<'_>) {
        let packed = &mut self.packed;
        let mode = match check.mode {
            Mode::Peek => 0,
            Mode::Charge => 1,
            // 2 is a block.
            Mode::ChargeForReceipts => 3,
            Mode::Refund(_) => 4,
        };
        push(packed, mode, 1);
        push(packed, check.charges.len() as u64, 2);
        for (index, charge) in check.charges.iter().enumerate() {
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
            if let Mode::Refund(receipts) = check.mode {
                // A time of 0: nothing was taken.
                let receipt = receipts.get(index).copied().flatten();
                let [at, remaining, mark] = receipt.map_or([0; 3], |receipt| {
                    [receipt.at, receipt.remaining.into(), receipt.mark]
                });
                push(packed, at, 7);
                push(packed, remaining, 4);
                push(packed, mark, 7);
            }
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
