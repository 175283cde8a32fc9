//! The list of how each limit of a request stands. Decisions add to it, and
//! [`RateLimits`](super::RateLimits) reads it.

use std::{cell::OnceCell, iter};

use actix_throttle_core::decision::LimitStatus;

/// The standings of the limits of a request, in the order of their decisions. It only grows, so
/// what a handler has borrowed of it stays.
#[derive(Debug, Default)]
pub(super) struct StatusList {
    limits: Vec<LimitStatus>,
    next: OnceCell<Box<StatusList>>,
}

impl StatusList {
    pub(super) fn new(limits: Vec<LimitStatus>) -> Self {
        Self {
            limits,
            next: OnceCell::new(),
        }
    }

    /// Adds the limits of one more decision.
    pub(super) fn append(&self, limits: &[LimitStatus]) {
        let mut list = self;
        while let Some(next) = list.next.get() {
            list = next;
        }
        list.next
            .get_or_init(|| Box::new(Self::new(limits.to_vec())));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LimitStatus> {
        let lists = iter::successors(Some(self), |list| list.next.get().map(|next| &**next));
        lists.flat_map(|list| &list.limits)
    }
}
