//! The limit that a rule applies to a request.

use std::ops::Deref;

use crate::limit::Limit;

/// A limit as it stands in a rule, or one that was made for this request. Boxed, as few are: others
/// need not move room for it about.
pub(in crate::http) enum EffectiveLimit<'a> {
    Static(&'a Limit),
    Dynamic(Box<Limit>),
}

impl Deref for EffectiveLimit<'_> {
    type Target = Limit;

    fn deref(&self) -> &Limit {
        match self {
            Self::Static(limit) => limit,
            Self::Dynamic(limit) => limit,
        }
    }
}

impl From<Limit> for EffectiveLimit<'_> {
    fn from(limit: Limit) -> Self {
        Self::Dynamic(Box::new(limit))
    }
}
