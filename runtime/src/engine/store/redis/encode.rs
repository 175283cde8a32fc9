//! The encoding of receipts in the packed argument of a call. The script decodes it.

use actix_throttle_core::{algorithm::Settlement, stored::bytes::push};

/// Packs a receipt, the cost that counts so far and the one that is to count. A time of 0 means
/// that nothing was charged.
pub(super) fn push_settlement(packed: &mut Vec<u8>, settlement: Option<Settlement>) {
    let Some(Settlement { receipt, from, to }) = settlement else {
        return packed.extend_from_slice(&[0; 7 + 4 + 7 + 4 + 5 + 4 + 4]);
    };
    push(packed, receipt.at, 7);
    push(packed, receipt.remaining.into(), 4);
    push(packed, receipt.tag, 7);
    push(packed, receipt.taken.into(), 4);
    push(packed, receipt.full_for, 5);
    push(packed, from.into(), 4);
    push(packed, to.into(), 4);
}
