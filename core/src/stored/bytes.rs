//! Numbers of several bytes, most significant first, as `struct.pack('>…')` writes them. The values
//! in Redis, the arguments of the scripts and their replies are made of them.

/// Takes a number of `width` bytes, at most eight, from the start. Returns `None` if there are
/// fewer.
#[inline]
pub fn take(bytes: &mut &[u8], width: usize) -> Option<u64> {
    let (number, rest) = bytes.split_at_checked(width)?;
    *bytes = rest;
    Some(
        number
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}

/// Takes a number of at most four bytes.
#[inline]
pub fn take_u32(bytes: &mut &[u8], width: usize) -> Option<u32> {
    take(bytes, width)?.try_into().ok()
}

/// Appends the low `width` bytes of a number, at most eight.
#[inline]
pub fn push(bytes: &mut Vec<u8>, number: u64, width: usize) {
    let all = number.to_be_bytes();
    bytes.extend_from_slice(&all[all.len() - width.min(all.len())..]);
}
