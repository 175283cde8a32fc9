//! [`Access`]: what a request to the status page may see and do.

/// The rights of a request to the [`StatusPage`](crate::StatusPage).
///
/// There is no default: the function that [`StatusPage::new`](crate::StatusPage::new) takes decides
/// it for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Nothing: the response is 403 and says no more.
    Forbidden,
    /// Everything but identities, which are masked, and no changes.
    ReadOnly,
    /// Everything: identities too, and resetting, blocking and unblocking them.
    Full,
}
