//! The hash that stands for a key in the tables of this process. A fingerprint does not tell whose
//! it is, but it tells whether it is of a given limit.

/// The number of low bits of a fingerprint that are no check bits.
const FREE_BITS: u32 = 24;

/// A keyed hash that stands for a key: 88 bits and the check bits. Among 16 million keys, two share
/// one with a probability of 2^-41, and a client without the secrets cannot search for such a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64, u64);

impl Fingerprint {
    pub(super) fn new(high: u64, low: u64) -> Self {
        Self(high, low)
    }

    /// Returns half of the fingerprint, which is as good a hash for a table as the whole.
    pub(super) fn hash(self) -> u64 {
        self.1
    }

    /// Returns whether this is the fingerprint of an entry of the limit with this hash, of any
    /// identity. It is so by accident for one of 2^40 entries of other limits.
    pub(super) fn is_of_limit(self, limit: u64) -> bool {
        let identity = self.1 ^ limit;
        with_check_bits(self.0, identity) == identity
    }
}

/// Returns the second half of an identity's hash with check bits in place of its high bits. They
/// depend on all other bits of the hash, and need no secret: those other bits are secret.
pub(super) fn with_check_bits(high: u64, low: u64) -> u64 {
    let free = low & ((1 << FREE_BITS) - 1);
    // Two odd constants, of the golden ratio and of `MurmurHash3`.
    let mixed =
        (high ^ free.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    free | (mixed ^ mixed >> 32) << FREE_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes of identities, the same ones in every run.
    fn identities() -> impl Iterator<Item = (u64, u64)> {
        let mut random = fastrand::Rng::with_seed(7);
        (0..10_000).map(move |_| {
            let (high, low) = (random.u64(..), random.u64(..));
            (high, with_check_bits(high, low))
        })
    }

    #[test]
    fn fingerprint_tells_its_limit() {
        let limits = [0, 1, 0x9e37_79b9_7f4a_7c15, u64::MAX];
        for (high, low) in identities() {
            for limit in limits {
                let fingerprint = Fingerprint::new(high, low ^ limit);
                for other in limits {
                    assert_eq!(fingerprint.is_of_limit(other), other == limit);
                }
            }
        }
    }

    #[test]
    fn check_bits_spread_like_the_others() {
        // Tables use the high and the low bits of this half.
        let mut ones = [0; 64];
        for (_, low) in identities() {
            for (bit, ones) in ones.iter_mut().enumerate() {
                *ones += low >> bit & 1;
            }
        }
        for (bit, ones) in ones.into_iter().enumerate() {
            assert!((4_700..5_300).contains(&ones), "bit {bit}: {ones}");
        }
    }
}
