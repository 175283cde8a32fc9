//! A call of a batch: its plain checks by the plain script, the others by the general one. The
//! batch queue makes it, and the drain loop sends it.

use super::{
    plain::{answer::Answer, call::PlainCall},
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
    pub(super) fn answer(&self, reply: &[u8]) -> Answer {
        match self {
            Self::Plain(call) => call.answer(reply),
            Self::General(_) => Answer::Decided,
        }
    }

    /// Returns the call that goes out after that answer.
    pub(super) fn again(self, answer: Answer, context: &CallContext<'_>) -> Self {
        match (self, answer) {
            (Self::Plain(call), Answer::General) => {
                Self::General(Box::new(call.into_general(context)))
            }
            (Self::Plain(mut call), Answer::NameBlocks) => {
                call.name_blocks();
                Self::Plain(call)
            }
            (same, _) => same,
        }
    }
}
