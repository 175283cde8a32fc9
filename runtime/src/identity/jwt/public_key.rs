//! Parses public keys in PEM and DER down to the bytes that `ring` verifies with.

use std::sync::Arc;

use pkcs1::RsaPublicKeyRef;
use ring::{agreement, rand::SystemRandom};
use spki::{Document, ObjectIdentifier, SubjectPublicKeyInfoRef, der::Decode};

use super::key_type::KeyType;

/// The allowed key size, in bits. RFC 7518, section 3.3, sets the lower bound; `ring` accepts no
/// larger keys.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

// Object identifiers from RFC 8017, RFC 5480 and RFC 8410.
const RSA: ObjectIdentifier = pkcs1::ALGORITHM_OID;
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

pub(super) struct PublicKey {
    pub(super) family: KeyType,
    /// The bytes: PKCS #1 for RSA, the uncompressed point for a curve, the raw key for Ed25519.
    pub(super) bytes: Arc<[u8]>,
}

/// Parses a key in PEM or DER. `Err` says what is wrong with it.
pub(super) fn parse(key: &[u8]) -> Result<PublicKey, String> {
    match str::from_utf8(key) {
        Ok(text) if text.contains("-----BEGIN") => from_pem(text),
        _ => from_der(key).or_else(|diagnostic| {
            let bare = RsaPublicKeyRef::from_der(key).is_ok();
            if bare { rsa(key) } else { Err(diagnostic) }
        }),
    }
}

fn from_pem(text: &str) -> Result<PublicKey, String> {
    let (label, document) = Document::from_pem(text.trim())
        .map_err(|error| format!("the PEM cannot be read: {error}"))?;
    match label {
        "PUBLIC KEY" => from_der(document.as_bytes()),
        "RSA PUBLIC KEY" => rsa(document.as_bytes()),
        "CERTIFICATE" => Err("it is a certificate; give the public key in it, which \
                              `openssl x509 -pubkey -noout` writes"
            .to_owned()),
        label if label.ends_with("PRIVATE KEY") => Err(
            "it is a private key; give its public one, which `openssl pkey -pubout` writes, \
                 and leave this one with the issuer"
                .to_owned(),
        ),
        label => Err(format!("it is a `{label}`; give a `PUBLIC KEY`")),
    }
}

fn from_der(der: &[u8]) -> Result<PublicKey, String> {
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|error| {
        format!("it is no public key in DER or PEM ({error}); `openssl pkey -pubout` writes one")
    })?;
    let bytes = info.subject_public_key.raw_bytes();
    match info.algorithm.oid {
        RSA => rsa(bytes),
        ELLIPTIC_CURVE => match info.algorithm.parameters_oid() {
            Ok(P256) => point(KeyType::P256, &agreement::ECDH_P256, bytes),
            Ok(P384) => point(KeyType::P384, &agreement::ECDH_P384, bytes),
            _ => Err("its curve is neither P-256 nor P-384".to_owned()),
        },
        ED25519 if bytes.len() == 32 => Ok(PublicKey {
            family: KeyType::Ed25519,
            bytes: bytes.into(),
        }),
        ED25519 => Err(format!("an Ed25519 key has 32 bytes, not {}", bytes.len())),
        oid => Err(format!(
            "it is for another algorithm ({oid}); give an RSA, P-256, P-384 or Ed25519 key"
        )),
    }
}

fn rsa(bytes: &[u8]) -> Result<PublicKey, String> {
    let key = RsaPublicKeyRef::from_der(bytes)
        .map_err(|error| format!("the RSA key cannot be read: {error}"))?;
    let modulus = key.modulus.as_bytes();
    let unused = modulus
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = modulus.len() * 8 - unused;
    if !RSA_BITS.contains(&bits) {
        return Err(format!(
            "the RSA key has {bits} bits; give one of 2048 to 8192"
        ));
    }
    Ok(PublicKey {
        family: KeyType::Rsa,
        bytes: bytes.into(),
    })
}

/// Checks that the point is on its curve, by a throwaway Diffie-Hellman exchange: `ring` checks a
/// verification key only when it verifies. A wrong key would otherwise reject every user at run
/// time.
fn point(
    family: KeyType,
    curve: &'static agreement::Algorithm,
    bytes: &[u8],
) -> Result<PublicKey, String> {
    let ours = agreement::EphemeralPrivateKey::generate(curve, &SystemRandom::new());
    let theirs = agreement::UnparsedPublicKey::new(curve, bytes);
    ours.and_then(|ours| agreement::agree_ephemeral(ours, &theirs, |_| ()))
        .map_err(|_| "its point is not on its curve, or compressed".to_owned())?;
    Ok(PublicKey {
        family,
        bytes: bytes.into(),
    })
}
