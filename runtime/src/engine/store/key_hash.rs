//! Keyed hashes of keys. The in-process tables (in-memory store, denial cache, leases) look their
//! entries up by these hashes and never store the keys themselves.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
};

use actix_throttle_core::{
    identity::{Identity, IdentitySource, IdentityValue},
    key::{Key, KeyKind},
};
use foldhash::fast::FixedState;
use siphasher::sip128::{Hash128, Hasher128, SipHasher13};

use crate::engine::store::fingerprint::{Fingerprint, with_check_bits};

/// A hasher of keys, with random secrets of this process.
///
/// A client may choose its identity. An identity therefore goes through SipHash, a keyed hash of
/// 128 bits: without the secrets, a client can find neither collisions nor identities that share a
/// shard. The zone and the kind of the key are chosen by the application and are few, so a fast
/// 64-bit hash of them, folded in by XOR, is enough. Two identities share a fingerprint only if
/// their hashes differ by exactly what the hashes of two limits differ by.
///
/// 40 bits of an identity's hash are check bits, made of the other 88. So a fingerprint tells
/// whether it is of a given limit, whatever identity is counted ([`Fingerprint::is_of_limit`]), and
/// an entry needs no memory for that.
pub(super) struct KeyHasher {
    identities: SipHasher13,
    texts: SipHasher13,
    limits: FixedState,
}

/// The hash of one key: the identity's hash, and the fingerprint of the entry.
#[derive(Clone, Copy)]
pub(super) struct KeyHash {
    high: u64,
    low: u64,
    /// The fingerprint of the key's own entry.
    pub(super) fingerprint: Fingerprint,
}

impl KeyHasher {
    pub(super) fn new() -> Self {
        // Each `RandomState` has keys of its own, so every call gives another secret.
        let secret = || RandomState::new().hash_one(0);
        Self {
            identities: SipHasher13::new_with_keys(secret(), secret()),
            texts: SipHasher13::new_with_keys(secret(), secret()),
            limits: FixedState::with_seed(secret()),
        }
    }

    pub(super) fn hash(&self, key: &Key<'_>) -> KeyHash {
        let identity = self.identity(key.identity);
        KeyHash {
            high: identity.h1,
            low: identity.h2,
            fingerprint: self.fingerprint(identity.h1, identity.h2, key),
        }
    }

    /// Returns the fingerprint of the block in the zone of `key`, whose own hash is `hash`.
    pub(super) fn block_fingerprint(&self, hash: &KeyHash, key: &Key<'_>) -> Fingerprint {
        self.fingerprint(hash.high, hash.low, &key.block())
    }

    /// Returns the hash of a limit, for [`Fingerprint::is_of_limit`].
    pub(super) fn limit(&self, zone: &str, kind: KeyKind) -> u64 {
        self.limits.hash_one((zone, kind))
    }

    /// Returns the hash of everything that counts this identity in this zone.
    #[cfg(feature = "redis")]
    pub(super) fn zone_hash(&self, key: &Key<'_>) -> KeyHash {
        let identity = self.identity(key.identity);
        let (high, low) = (identity.h1, identity.h2);
        KeyHash {
            high,
            low,
            fingerprint: Fingerprint::new(high, low ^ self.limits.hash_one(key.zone)),
        }
    }

    fn fingerprint(&self, high: u64, low: u64, key: &Key<'_>) -> Fingerprint {
        Fingerprint::new(high, low ^ self.limit(key.zone, key.kind))
    }

    fn identity(&self, identity: &Identity) -> Hash128 {
        let Hash128 { h1, h2 } = self.hash_of_identity(identity);
        Hash128 {
            h1,
            h2: with_check_bits(h1, h2),
        }
    }

    fn hash_of_identity(&self, identity: &Identity) -> Hash128 {
        if let (IdentitySource::Client, IdentityValue::Client(Some(network))) =
            (identity.source(), identity.value())
            && let IpAddr::V4(address) = network.addr()
        {
            // Most identities are IPv4 addresses. Their five bytes are hashed at once, which is
            // faster, and are shorter than any other identity's input, so none can collide by its
            // bytes.
            let [a, b, c, d] = address.octets();
            return self.identities.hash(&[network.prefix_len(), a, b, c, d]);
        }
        if let (IdentitySource::Application, IdentityValue::Bytes(text)) =
            (identity.source(), identity.value())
        {
            // Texts by hand have a secret of their own, so they are hashed at once too.
            return self.texts.hash(text);
        }
        let mut hasher = self.identities;
        identity.source().hash(&mut hasher);
        identity.value().hash(&mut hasher);
        hasher.finish128()
    }
}

impl KeyHash {
    /// Returns the hash of the key's limit, see [`KeyHasher::limit`].
    pub(super) fn limit(&self) -> u64 {
        self.fingerprint.hash() ^ self.low
    }

    /// Returns the index of the shard, out of `count`, a power of two. It depends on the identity
    /// alone, so all keys of one identity share a shard.
    pub(super) fn shard(&self, count: usize) -> usize {
        usize::try_from(self.high & (count as u64 - 1)).unwrap_or(0)
    }
}

impl std::fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The output leaves the secrets out.
        f.debug_struct("KeyHasher").finish_non_exhaustive()
    }
}
