//! Keys as the tables of this process have them: hashed.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
};

use foldhash::fast::FixedState;
use siphasher::sip128::{Hash128, Hasher128, SipHasher13};

use crate::{
    identity::{Identity, Source, Value},
    key::Key,
    store::expiring_table::Fingerprint,
};

/// Hashes keys, by secrets of this process.
///
/// An identity is what a client may choose. So it goes through a keyed hash of 128 bits that
/// nobody outside can find collisions of, nor identities that meet in one shard. What is counted
/// for it, a zone and a limit, is chosen by the application and is one of few: for that a fast hash
/// of 64 bits will do, folded in. For two identities to share a print, their hashes would have to
/// differ by exactly what those of two limits do, in 128 bits.
pub(super) struct KeyHasher {
    identities: SipHasher13,
    limits: FixedState,
}

/// Where a key stands.
#[derive(Clone, Copy)]
pub(super) struct KeyHash {
    high: u64,
    low: u64,
    /// Of the counter.
    pub(super) fingerprint: Fingerprint,
}

impl KeyHasher {
    pub(super) fn new() -> Self {
        // Each has keys of its own.
        let secret = || RandomState::new().hash_one(0);
        Self {
            identities: SipHasher13::new_with_keys(secret(), secret()),
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

    /// The print of the block above the counter of `key`, which stands at `place`.
    pub(super) fn block_fingerprint(&self, place: &KeyHash, key: &Key<'_>) -> Fingerprint {
        self.fingerprint(place.high, place.low, &key.block())
    }

    /// The print of all that is counted for this identity in this zone.
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
        Fingerprint::new(high, low ^ self.limits.hash_one((key.zone, key.kind)))
    }

    fn identity(&self, identity: &Identity) -> Hash128 {
        if let (Source::Client, Value::Client(Some(network))) =
            (identity.source(), identity.value())
            && let IpAddr::V4(address) = network.addr()
        {
            // Most clients are such: fewer bytes than a word, and so shorter than all others.
            let [a, b, c, d] = address.octets();
            return self.identities.hash(&[network.prefix_len(), a, b, c, d]);
        }
        let mut hasher = self.identities;
        identity.source().hash(&mut hasher);
        identity.value().hash(&mut hasher);
        hasher.finish128()
    }
}

impl KeyHash {
    /// Which of so many shards, a power of two: all that is counted for one identity is in one.
    pub(super) fn shard(&self, count: usize) -> usize {
        usize::try_from(self.high & (count as u64 - 1)).unwrap_or(0)
    }
}

impl std::fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without its secrets.
        f.debug_struct("KeyHasher").finish_non_exhaustive()
    }
}
