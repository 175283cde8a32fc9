//! A plain call: how its keys and arguments are packed for the script, and what its replies mean.

use std::borrow::Cow;

use actix_throttle_core::{
    check::{Check, Outcome},
    limit::Counting,
    stored::bytes::push,
    time::Micros,
};
use redis::Cmd;

#[cfg(feature = "cluster")]
use crate::engine::store::redis::script_call::ScriptCall;
use crate::engine::store::{
    interface::StoreError,
    redis::{
        call_builder::CallBuilder,
        plain::{
            builder::PlainBuilder,
            next_step::NextStep,
            outcomes,
            runs::Runs,
            script::{SCRIPT, SOURCE},
        },
        reply,
        script::{Call, CallContext},
    },
};

/// The code of the sliding window in the script. Its keys come last, because a log is no string.
pub(crate) const LOG: u8 = Counting::SlidingWindow.code();
/// Bytes for a command's name and the number of its keys.
const COMMAND_OVERHEAD: usize = 32;

#[derive(Debug)]
pub(crate) struct PlainCall {
    builder: PlainBuilder,
    /// The index of each counter's key in the key table, from 1, in the order of the call.
    order: Vec<u32>,
    /// The number of them that are strings.
    strings: usize,
    /// The indices of the block keys in the key table, if the call names them.
    blocks: Vec<u64>,
    /// The time for which Redis remembers that the call was carried out, in milliseconds; in a
    /// cluster alone.
    #[cfg(feature = "cluster")]
    remember_for: Option<u32>,
    runs: Runs,
    /// Whether the request of each check still waits.
    kept: Vec<bool>,
    now: Option<(Micros, Micros)>,
}

impl PlainCall {
    /// The call of those checks whose index `keep` accepts; `None` if it accepts none.
    pub(crate) fn new(
        builder: PlainBuilder,
        context: &CallContext<'_>,
        keep: impl Fn(usize) -> bool,
    ) -> Option<Self> {
        let kept: Vec<bool> = (0..builder.len()).map(keep).collect();
        if !kept.contains(&true) {
            return None;
        }
        let limits = builder.checks.limits();
        let mut starts = vec![0; limits.len()];
        let mut next = 0;
        let mut strings = 0;
        for are_logs in [false, true] {
            for (start, limit) in starts.iter_mut().zip(limits) {
                if (limit.code == LOG) == are_logs {
                    *start = next;
                    next += limit.keys;
                }
            }
            if !are_logs {
                strings = next;
            }
        }
        let mut order = vec![0; builder.checks.keys().len()];
        let mut key_indexes = Vec::with_capacity(order.len());
        for (index, key) in (1..).zip(builder.checks.keys()) {
            let position = starts
                .get(key.limit as usize)
                .map_or(0, |start| start + key.rank);
            if let Some(at) = order.get_mut(position as usize) {
                *at = index;
            }
            // The marker comes before the logs.
            key_indexes.push(if position < strings {
                position + 1
            } else {
                position + 2
            });
        }
        let runs = Runs::new(&builder.checks, &kept, &key_indexes);
        #[cfg_attr(not(feature = "cluster"), expect(unused_mut))]
        let mut call = Self {
            builder,
            order,
            strings: strings as usize,
            blocks: Vec::new(),
            #[cfg(feature = "cluster")]
            remember_for: context.remember_for,
            runs,
            kept,
            now: context.now,
        };
        #[cfg(feature = "cluster")]
        if call.remember_for.is_some() {
            // There is no marker that says whether any identity is blocked.
            call.name_blocks();
        }
        Some(call)
    }

    /// The call of one check; `None` if the check is not plain.
    pub(crate) fn of_one(check: &Check<'_>, context: &CallContext<'_>) -> Option<Self> {
        let mut builder = PlainBuilder::new(context.naming);
        let is_plain = builder.add(check, context);
        is_plain
            .then(|| Self::new(builder, context, |_| true))
            .flatten()
    }

    /// Lets the call name the block above each counter.
    pub(crate) fn name_blocks(&mut self) {
        let keys = &mut self.builder.keys;
        let blocks = self
            .order
            .iter()
            .map(|counter| keys.block_of((*counter).into()));
        self.blocks = blocks.collect();
        self.blocks.sort_unstable();
        self.blocks.dedup();
    }

    /// The call of the general script that decides the same checks.
    pub(crate) fn into_general(
        #[cfg_attr(not(feature = "cluster"), expect(unused_mut))] mut self,
        context: &CallContext<'_>,
    ) -> Call {
        let context = CallContext {
            now: self.now,
            ..*context
        };
        let kept = self.kept;
        #[cfg(feature = "cluster")]
        self.builder.renew_idempotency_key();
        let mut general = CallBuilder::new(context.naming);
        general.add_plain(&self.builder);
        general.build_or_empty(&context, |check| kept.get(check) == Some(&true))
    }

    pub(crate) fn next_step(&self, reply: &[u8]) -> NextStep {
        match reply {
            #[cfg(feature = "cluster")]
            reply::MIGRATING => NextStep::Decided,
            [1] if self.blocks.is_empty() => NextStep::NameBlocks,
            [_] => NextStep::General,
            _ => NextStep::Decided,
        }
    }

    /// The outcomes of the checks whose requests still wait, one after the other.
    ///
    /// # Errors
    ///
    /// If the keys are being migrated, if the call was a repeated one, or if the reply is
    /// malformed.
    pub(crate) fn outcomes(
        &self,
        reply: &[u8],
    ) -> Result<impl Iterator<Item = Outcome>, StoreError> {
        reply::is_decision(reply)?;
        let checks = &self.builder.checks;
        let Some((mut states, now)) = outcomes::states(reply, checks, &self.order) else {
            return Err(StoreError::malformed());
        };
        let waiting = checks.checks().iter().zip(&self.kept);
        let waiting = waiting.filter_map(|(kind, kept)| kept.then_some(*kind));
        Ok(waiting.map(move |kind| outcomes::decide(checks, kind, &mut states, now)))
    }

    /// The call by `EVALSHA`, for a server that has cached the script.
    pub(crate) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", SCRIPT.get_hash())
    }

    /// The call by `EVAL`, for a server that has not; the server then caches the script.
    pub(crate) fn by_source(&self) -> Cmd {
        self.command("EVAL", SOURCE)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let keys = &self.builder.keys;
        let head = self.head();
        let marker = self.marker();
        let count = self.order.len() + 1 + self.blocks.len();
        // The buffer is allocated at once, because it would otherwise grow with each argument.
        let length = script.len() + keys.length() + head.len() + marker.len() + COMMAND_OVERHEAD;
        let mut command = Cmd::with_capacity(count + 5, length);
        command.arg(name).arg(script).arg(count);
        let (strings, logs) = self.order.split_at(self.strings);
        for key in strings {
            command.arg(keys.text((*key).into()));
        }
        command.arg(&*marker);
        for key in logs {
            command.arg(keys.text((*key).into()));
        }
        for block in &self.blocks {
            command.arg(keys.text(*block));
        }
        command.arg(&head);
        #[cfg(feature = "cluster")]
        if let Some(ttl) = self.remember_for {
            command.arg(&self.runs.requests).arg(ttl);
            return command;
        }
        if !self.runs.requests.is_empty() {
            command.arg(&self.runs.requests);
        }
        command
    }

    /// The key between the strings and the logs: the marker of blocks, or in a cluster the
    /// idempotency key of the call.
    fn marker(&self) -> Cow<'_, str> {
        #[cfg(feature = "cluster")]
        if let Some(name) = &self.builder.idempotency_key {
            return Cow::Borrowed(name);
        }
        let mut marker = String::new();
        self.builder.keys.naming().write_block_marker(&mut marker);
        Cow::Owned(marker)
    }

    /// The packed argument, as `plain/read.lua` unpacks it: the limits, each once, and the runs.
    fn head(&self) -> Vec<u8> {
        let limits = self.builder.checks.limits();
        let is_strict = limits.iter().any(|limit| limit.limit.block_micros() > 0);
        let mut head = Vec::with_capacity(32 + 17 * limits.len() + self.runs.packed.len());
        // A time of 0 means Redis' own.
        push(&mut head, self.now.map_or(0, |(now, _)| now), 7);
        push(&mut head, self.strings as u64, 2);
        push(&mut head, self.blocks.len() as u64, 2);
        push(&mut head, is_strict.into(), 1);
        push(&mut head, limits.len() as u64, 2);
        push(&mut head, self.runs.count, 2);
        for are_logs in [false, true] {
            for limit in limits
                .iter()
                .filter(|limit| (limit.code == LOG) == are_logs)
            {
                push(&mut head, limit.code.into(), 1);
                push(&mut head, limit.keys.into(), 2);
                push(&mut head, limit.limit.times().into(), 4);
                push(&mut head, limit.limit.window_micros(), 6);
                push(&mut head, limit.quota.into(), 4);
            }
        }
        head.extend_from_slice(&self.runs.packed);
        head
    }
}

#[cfg(feature = "cluster")]
impl ScriptCall for PlainCall {
    fn first_key(&self) -> &str {
        let first = self.order.first().copied().unwrap_or(0);
        self.builder.keys.text(first.into())
    }

    fn only_key(&self) -> Option<&str> {
        None
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.builder.idempotency_key.as_deref()
    }

    fn ttl(&self) -> u32 {
        self.remember_for.unwrap_or(0)
    }

    fn by_hash(&self) -> Cmd {
        self.by_hash()
    }

    fn by_source(&self) -> Cmd {
        self.by_source()
    }
}
