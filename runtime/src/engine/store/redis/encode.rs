//! The encoding of numbers in the packed argument of a call. The script decodes it.

/// Appends the low `width` bytes of a number, most significant first.
///
/// # Panics
///
/// If `width` is above 8.
pub(super) fn push(packed: &mut Vec<u8>, number: u64, width: usize) {
    packed.extend_from_slice(&number.to_be_bytes()[8 - width..]);
}
