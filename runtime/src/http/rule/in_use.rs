//! The limit that a rule applies to a request.

use std::ops::Deref;

use crate::limit::Limit;

/// A limit as it stands in a rule, or one that was made for this request. Boxed, as few are: others
/// need not move room for it about.
pub(in crate::http) enum InUse<'a> {
    Written(&'a Limit),
    Made(Box<Limit>),
}

impl Deref for InUse<'_> {
    type Target = Limit;

    fn deref(&self) -> &Limit {
        match self {
            Self::Written(limit) => limit,
            Self::Made(limit) => limit,
        }
    }
}

impl From<Limit> for InUse<'_> {
    fn from(limit: Limit) -> Self {
        Self::Made(Box::new(limit))
    }
}
