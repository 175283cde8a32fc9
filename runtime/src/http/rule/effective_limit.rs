//! The limit that a rule applies to a request. Resolution creates it, and charges refer to it.

use std::ops::Deref;

use actix_throttle_core::limit::Limit;

/// A limit as written in a rule, or one created for the request. The latter is boxed to keep the
/// enum small, because it is rare.
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
