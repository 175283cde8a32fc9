//! The modes of a proxy.

use std::time::Duration;

/// The mode of a [`Proxy`](super::Proxy), for all its connections, open and new ones alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Delays everything by this time, in each direction.
    Delay(Duration),
    /// Reads what the client sends and discards it. No reply comes, not even later.
    Swallow,
    /// Cuts the open connections, and new ones as soon as they are accepted.
    Refuse,
    /// Passes requests to the server. Of the next reply, this many bytes reach the client, and the
    /// connection is cut. That happens once, to one connection; afterwards the mode is
    /// [`Mode::Pass`].
    CutReply(usize),
    /// Passes requests to the server, and loses its next reply. That happens once, to one
    /// connection; afterwards the mode is [`Mode::Pass`].
    LoseReply,
    /// Passes requests to the server, and holds its replies back until the mode changes.
    Stall,
    /// Passes the reply of one connection that is held back, once. Afterwards the mode is
    /// [`Mode::Stall`], and the further replies of that connection arrive together.
    PassOnce,
}
