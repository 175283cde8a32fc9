//! Key types and their algorithms (RFC 7518): which fit together, and how `ring` computes each.

use jsonwebtoken::Algorithm;
use ring::{
    hmac,
    signature::{self, VerificationAlgorithm},
};

/// The type of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// The algorithm names for secrets. The first is the default.
pub(super) const OF_SECRETS: &[&str] = &["HS256", "HS384", "HS512"];

pub(super) fn hmac_of(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::HS256 => Some(hmac::HMAC_SHA256),
        Algorithm::HS384 => Some(hmac::HMAC_SHA384),
        Algorithm::HS512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

impl KeyType {
    /// Returns the names of the algorithms for this type. The first is the default.
    pub(super) fn algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Rsa => &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
            Self::P256 => &["ES256"],
            Self::P384 => &["ES384"],
            Self::Ed25519 => &["EdDSA"],
        }
    }

    /// Returns the verification of `ring`, or `None` if the algorithm does not fit this type.
    pub(super) fn verification(
        self,
        algorithm: Algorithm,
    ) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match (self, algorithm) {
            (Self::Rsa, Algorithm::RS256) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (Self::Rsa, Algorithm::RS384) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (Self::Rsa, Algorithm::RS512) => &signature::RSA_PKCS1_2048_8192_SHA512,
            (Self::Rsa, Algorithm::PS256) => &signature::RSA_PSS_2048_8192_SHA256,
            (Self::Rsa, Algorithm::PS384) => &signature::RSA_PSS_2048_8192_SHA384,
            (Self::Rsa, Algorithm::PS512) => &signature::RSA_PSS_2048_8192_SHA512,
            (Self::P256, Algorithm::ES256) => &signature::ECDSA_P256_SHA256_FIXED,
            (Self::P384, Algorithm::ES384) => &signature::ECDSA_P384_SHA384_FIXED,
            (Self::Ed25519, Algorithm::EdDSA) => &signature::ED25519,
            _ => return None,
        })
    }
}
