//! The next step that a reply to a plain call asks for. The drain loop takes it.

/// The next step that a reply to a plain call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Nothing: it is a decision.
    Decided,
    /// An identity is blocked somewhere: the call must go again and name the blocks.
    NameBlocks,
    /// The general script must decide.
    General,
}
