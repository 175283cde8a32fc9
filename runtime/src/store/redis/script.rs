//! The one script, and a call of it.

use std::sync::LazyLock;

use redis::{Cmd, Script};

use super::{draft::Draft, keys::Keys, kinds::Kinds};
use crate::{
    clock::Micros,
    key::Key,
    store::{interface::Check, place::Hasher},
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
    include_str!("scripts/holders.lua"),
    include_str!("scripts/read.lua"),
    include_str!("scripts/rarely.lua"),
    include_str!("scripts/decide.lua"),
);

/// Room for a command's name and the number of its keys.
const ROOM: usize = 32;

/// Hashed once.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SOURCE));

/// One call of the script.
#[derive(Debug)]
pub(super) struct Call {
    keys: Keys,
    pub(super) packed: Vec<u8>,
}

/// What all calls of a store have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub(super) prefix: &'a str,
    pub(super) hasher: &'a Hasher,
    /// The time to go by; `None` is the server's.
    pub(super) now: Option<Micros>,
    /// For a connection that may send a call twice: how long to remember that it was carried out,
    /// in milliseconds.
    #[cfg(feature = "cluster")]
    pub(super) once: Option<u32>,
}

/// Where in the head of a call its life stands.
#[cfg(feature = "cluster")]
const LIFE: std::ops::Range<usize> = 7..11;

impl Call {
    /// Decides these checks, which are not none.
    pub(super) fn decide(terms: &Terms<'_>, checks: &[Check<'_>]) -> Self {
        let mut draft = Draft::new(terms.prefix);
        for check in checks {
            draft.add(check, terms);
        }
        let call = draft.finish(terms, |_| true);
        call.unwrap_or_else(|| Self::start(terms, Keys::new(terms.prefix), &Kinds::default()))
    }

    /// Blocks for `length` what this key of a block stands for.
    pub(super) fn block(terms: &Terms<'_>, key: &Key<'_>, length: Micros) -> Self {
        let mut keys = Keys::new(terms.prefix);
        let place = keys.place(key, terms.hasher);
        let mut call = Self::start(terms, keys, &Kinds::default());
        push(&mut call.packed, 1, 2);
        push(&mut call.packed, 2, 1);
        // No limits; and in place of the first, its kind and its counter.
        push(&mut call.packed, 0, 2 + 2 + 3);
        push(&mut call.packed, place, 3);
        push(&mut call.packed, length, 6);
        #[cfg(feature = "cluster")]
        call.once(&key.once_text(terms.prefix, fastrand::u64(..)), terms);
        call
    }

    /// A call of nothing yet. As often as it is sent, it is carried out.
    pub(super) fn start(terms: &Terms<'_>, keys: Keys, kinds: &Kinds) -> Self {
        let mut packed = Vec::with_capacity(128);
        // 0 is "ask the server".
        push(&mut packed, terms.now.unwrap_or(0), 7);
        push(&mut packed, 0, 4);
        push(&mut packed, kinds.count(), 2);
        packed.extend_from_slice(kinds.packed());
        Self { keys, packed }
    }

    /// Has it carried out once, however often it is sent. Its name is the last of the keys.
    #[cfg(feature = "cluster")]
    pub(super) fn once(&mut self, name: &str, terms: &Terms<'_>) {
        if let Some(life) = terms.once {
            self.keys.add(name);
            self.packed[LIFE].copy_from_slice(&life.to_be_bytes());
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
        // Made in one piece, where it would grow by each argument.
        let length = script.len() + self.keys.length() + self.packed.len() + ROOM;
        let mut command = Cmd::with_capacity(self.keys.len() + 4, length);
        command.arg(name).arg(script).arg(self.keys.len());
        for key in self.keys.iter() {
            command.arg(key);
        }
        command.arg(&self.packed);
        command
    }
}

/// The low `width` bytes of a number, most significant first.
pub(super) fn push(packed: &mut Vec<u8>, number: u64, width: usize) {
    packed.extend_from_slice(&number.to_be_bytes()[8 - width..]);
}
