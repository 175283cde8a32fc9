//! Generated header values for hostile clients.

/// The parts of forwarding headers, valid and invalid.
const PIECES: [&[u8]; 44] = [
    b"1.2.3.4",
    b"203.0.113.7",
    b"10.0.0.1",
    b"10.255.255.255:65535",
    b"127.0.0.1",
    b"0.0.0.0",
    b"256.1.1.1",
    b"01.02.03.04",
    b"1.2.3.4:99999",
    b"2001:db8::1",
    b"[2001:db8::1]",
    b"[2001:db8::1]:443",
    b"[::ffff:10.0.0.1]",
    b"::",
    b"::1%eth0",
    b"[",
    b"]",
    b":",
    b"fe80::1%25",
    b"for=",
    b"For=",
    b"for=\"",
    b"for = 1.2.3.4",
    b"by=",
    b"host=",
    b"proto=https",
    b"unknown",
    b"_hidden",
    b"\"",
    b"\\",
    b"\\\"",
    b",",
    b", ",
    b";",
    b"=",
    b" ",
    b"\t",
    b"{}:%",
    b"\xff",
    b"\xc3\xa4",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x92\xa3",
    b"%0d%0a",
    b"99999999999999999999999999",
];

/// A generator of header values. The same seed gives the same values in every run.
pub(super) struct Hostile(u64);

impl Hostile {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, by `SplitMix64`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("below a usize")
    }

    /// The bytes of a header value: anything that an HTTP server accepts.
    pub(super) fn value(&mut self) -> Vec<u8> {
        let length = match self.below(20) {
            0 => 2_000,
            1..4 => self.below(200),
            _ => self.below(12),
        };
        let mut value = Vec::new();
        for _ in 0..length {
            match self.below(4) {
                0 => value.push(self.byte()),
                _ => value.extend_from_slice(PIECES[self.below(PIECES.len())]),
            }
        }
        value
    }

    /// A random byte that may occur in a header value.
    fn byte(&mut self) -> u8 {
        let byte = u8::try_from(self.below(256)).expect("below 256");
        if byte < b' ' || byte == 0x7f {
            b'\t'
        } else {
            byte
        }
    }
}
