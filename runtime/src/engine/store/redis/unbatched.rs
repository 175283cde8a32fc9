//! Calls of the general script that are no batch of waiting requests: probes, and refunds.

use actix_throttle_core::check::Check;

#[cfg(feature = "cluster")]
use super::call_builder::SingleKey;
use super::{
    call_builder::CallBuilder,
    script::{Call, CallContext},
};

impl Call {
    /// A call that decides these checks, at least one.
    pub(super) fn decide(context: &CallContext<'_>, checks: &[Check<'_>]) -> Self {
        let mut draft = CallBuilder::new(context.naming);
        for check in checks {
            draft.add(check, context);
        }
        draft.build_or_empty(context, |_| true)
    }

    /// A call that decides a check of one charge by its counter alone, as if the identity were not
    /// blocked.
    #[cfg(feature = "cluster")]
    pub(super) fn decide_single_key(context: &CallContext<'_>, check: &Check<'_>) -> Self {
        let mut draft = CallBuilder::of_one_key(context.naming, SingleKey::Counter);
        draft.add(check, context);
        draft.build_or_empty(context, |_| true)
    }
}
