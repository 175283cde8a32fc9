//! The part that calls of both scripts have in common in a cluster. The exchange with a slot that
//! may be on its way to another node goes by it.

use redis::Cmd;

/// A call of one of the scripts.
pub(super) trait ScriptCall: Sync {
    /// A key of the call's cluster slot.
    fn first_key(&self) -> &str;
    /// The key of the call, if it names exactly one.
    fn only_key(&self) -> Option<&str>;
    /// The idempotency key of the call, if it has one.
    fn idempotency_key(&self) -> Option<&str>;
    /// The time for which Redis remembers that the call was carried out, in milliseconds.
    fn ttl(&self) -> u32;
    /// The call by `EVALSHA`.
    fn by_hash(&self) -> Cmd;
    /// The call by `EVAL`.
    fn by_source(&self) -> Cmd;
}
