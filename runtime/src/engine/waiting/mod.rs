//! Waiting for room: the wait queues of this process.

pub(crate) mod queue;
