//! The hash slot of a key, as the [cluster
//! specification](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/)
//! defines it.

/// The number of hash slots of a cluster.
pub const SLOTS: u16 = 16_384;

/// The hash slot of a key. Only the hash tag is hashed if the key has one: the text between the
/// first `{` and the next `}`.
pub fn slot_of(key: &str) -> u16 {
    let tag = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty());
    crc16::State::<crc16::XMODEM>::calculate(tag.unwrap_or(key).as_bytes()) % SLOTS
}
