//! Which slot a key is in.

/// How many slots a cluster has.
pub const SLOTS: u16 = 16_384;

/// By the key's hash tag where it has one, which is what is between the first `{` and the next `}`.
pub fn slot_of(key: &str) -> u16 {
    let tag = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty());
    crc16::State::<crc16::XMODEM>::calculate(tag.unwrap_or(key).as_bytes()) % SLOTS
}
