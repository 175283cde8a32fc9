//! The call of a batch: by the plain script if all of its checks are plain, by the general one if
//! not. The batch queue makes it, and the drain loop sends it.

use super::{
    plain::call::{Answer, PlainCall},
    script::{Call, CallContext},
};

/// The call of a sealed batch.
#[derive(Debug)]
pub(super) enum BatchCall {
    /// Boxed, because the future that sends it would be larger.
    Plain(Box<PlainCall>),
    General(Call),
}

impl BatchCall {
    /// The next step that a reply to the call asks for.
    pub(super) fn answer(&self, reply: &[u8]) -> Answer {
        match self {
            Self::Plain(call) => call.answer(reply),
            Self::General(_) => Answer::Decided,
        }
    }

    /// The call that goes out after that answer.
    pub(super) fn again(self, answer: Answer, context: &CallContext<'_>) -> Self {
        match (self, answer) {
            (Self::Plain(call), Answer::General) => Self::General(call.into_general(context)),
            (Self::Plain(mut call), Answer::NameBlocks) => {
                call.name_blocks();
                Self::Plain(call)
            }
            (same, _) => same,
        }
    }
}
