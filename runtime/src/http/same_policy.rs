//! Statuses of one policy, of which a request may have several: one for each identity for which it
//! was decided. The lists of decisions compare them. It decides nothing.

use actix_throttle_core::decision::LimitStatus;

/// Whether both are statuses of one limit, if for different identities.
pub(super) fn is_same_policy(one: &LimitStatus, other: &LimitStatus) -> bool {
    one.is_shadow() == other.is_shadow()
        && one.limit() == other.limit()
        && one.concurrency() == other.concurrency()
}
