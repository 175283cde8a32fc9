//! A call of a batch: its plain checks by the plain script, the others by the general one. The
//! batch queue makes it, and the drain loop sends it.

use super::{
    plain::{call::PlainCall, next_step::NextStep},
    script::{Call, CallContext},
};

/// A call of a sealed batch.
#[derive(Debug)]
pub(super) enum BatchCall {
    /// Both variants are boxed, because the future that sends a call would otherwise be larger.
    Plain(Box<PlainCall>),
    General(Box<Call>),
}

impl BatchCall {
    /// The next step that a reply to the call asks for.
    pub(super) fn next_step(&self, reply: &[u8]) -> NextStep {
        match self {
            Self::Plain(call) => call.next_step(reply),
            Self::General(_) => NextStep::Decided,
        }
    }

    /// Returns the call that goes out after that step.
    pub(super) fn follow_up(self, step: NextStep, context: &CallContext<'_>) -> Self {
        match (self, step) {
            (Self::Plain(call), NextStep::General) => {
                Self::General(Box::new(call.into_general(context)))
            }
            (Self::Plain(mut call), NextStep::NameBlocks) => {
                call.name_blocks();
                Self::Plain(call)
            }
            (same, _) => same,
        }
    }
}
