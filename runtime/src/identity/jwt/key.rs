//! [`JwtKey`]: a key with the algorithms that it may verify. The algorithms come from the settings,
//! never from the token, which prevents algorithm confusion (RFC 8725, section 3.1).

use std::{fmt, sync::Arc};

use jsonwebtoken::Algorithm;
use ring::{hmac, signature::UnparsedPublicKey};

use super::{
    key_type::{KeyType, OF_SECRETS, hmac_of},
    public_key::{self, PublicKey},
};

/// A key that may sign tokens, with a fixed list of algorithms.
///
/// By default the list has one algorithm, which follows from the key: `HS256` for a secret, `RS256`
/// for an RSA key, `ES256` and `ES384` for keys on the curves P-256 and P-384, `EdDSA` for an
/// Ed25519 key. [`algorithms`](Self::algorithms) sets other ones. `none` is never accepted, and a
/// public key is never used as a secret.
///
/// ```
/// use actix_throttle::JwtKey;
///
/// let signed_by_us = JwtKey::secret("a secret of at least 32 bytes, kept in a safe");
/// # let pem = "";
/// let signed_by_others = JwtKey::public(pem).id("2026").algorithms(["RS256", "PS256"]);
/// # let _ = (signed_by_us, signed_by_others);
/// ```
#[derive(Clone)]
#[must_use]
pub struct JwtKey {
    material: Material,
    id: Option<String>,
    algorithms: Vec<String>,
}

#[derive(Clone)]
enum Material {
    Secret(Vec<u8>),
    Public(Vec<u8>),
}

impl JwtKey {
    /// Returns a key for HMAC: a secret that the issuer shares with this application. It should
    /// have at least as many random bytes as the hash, 32 for `HS256`.
    pub fn secret(secret: impl Into<Vec<u8>>) -> Self {
        Self::of(Material::Secret(secret.into()))
    }

    /// Returns the issuer's public key, as PEM or DER: RSA with 2048 to 8192 bits, an elliptic
    /// curve (P-256 or P-384) or Ed25519. The format is that of `openssl pkey -pubout`; RSA may
    /// also be PKCS #1.
    pub fn public(key: impl Into<Vec<u8>>) -> Self {
        Self::of(Material::Public(key.into()))
    }

    /// Sets the key's id. The key then verifies only tokens that name this id in `kid`. A key
    /// without an id verifies any token.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the algorithms that this key may verify, in place of the default one: `HS256`, `HS384`,
    /// `HS512` for a secret; `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512` for an RSA key.
    pub fn algorithms<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.algorithms.extend(names.into_iter().map(Into::into));
        self
    }

    fn of(material: Material) -> Self {
        Self {
            material,
            id: None,
            algorithms: Vec::new(),
        }
    }

    /// Parses the key and matches it with its algorithms, or returns an error text.
    pub(super) fn check(self) -> Result<SigningKey, String> {
        let named = |diagnostic| match &self.id {
            Some(id) => format!("the key `{id}`: {diagnostic}"),
            None => diagnostic,
        };
        let verifiers = match &self.material {
            Material::Secret(secret) => of_secret(secret, &self.algorithms),
            Material::Public(key) => {
                public_key::parse(key).and_then(|key| of_public_key(&key, &self.algorithms))
            }
        };
        Ok(SigningKey {
            verifiers: verifiers.map_err(named)?,
            id: self.id,
        })
    }
}

impl fmt::Debug for JwtKey {
    /// Writes the key without its material.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("id", &self.id)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// A parsed key, ready to verify.
pub(super) struct SigningKey {
    id: Option<String>,
    verifiers: Vec<(Algorithm, Verifier)>,
}

enum Verifier {
    Secret(hmac::Key),
    Public(UnparsedPublicKey<Arc<[u8]>>),
}

impl SigningKey {
    /// Returns whether this key may verify a token with this `kid`.
    pub(super) fn serves(&self, id: Option<&str>) -> bool {
        self.id.is_none() || self.id.as_deref() == id
    }

    /// Verifies a signature. `None` if the key does not allow this algorithm.
    pub(super) fn verifies(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let (_, verifier) = self.verifiers.iter().find(|(own, _)| *own == algorithm)?;
        Some(match verifier {
            Verifier::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Verifier::Public(key) => key.verify(message, signature).is_ok(),
        })
    }
}

type Verifiers = Vec<(Algorithm, Verifier)>;

fn of_secret(secret: &[u8], names: &[String]) -> Result<Verifiers, String> {
    if secret.is_empty() {
        return Err("the secret is empty".to_owned());
    }
    if secret.trim_ascii_start().starts_with(b"-----BEGIN") {
        return Err("a PEM file is no secret: give `JwtKey::public(..)` the public key".to_owned());
    }
    let verifier = |algorithm| {
        let key = hmac::Key::new(hmac_of(algorithm)?, secret);
        Some(Verifier::Secret(key))
    };
    verifiers("a secret", OF_SECRETS, names, verifier)
}

fn of_public_key(key: &PublicKey, names: &[String]) -> Result<Verifiers, String> {
    let PublicKey { family, bytes } = key;
    let what = match family {
        KeyType::Rsa => "an RSA key",
        KeyType::P256 => "a key of the curve P-256",
        KeyType::P384 => "a key of the curve P-384",
        KeyType::Ed25519 => "an Ed25519 key",
    };
    let verifier = |algorithm| {
        let key = UnparsedPublicKey::new(family.verification(algorithm)?, Arc::clone(bytes));
        Some(Verifier::Public(key))
    };
    verifiers(what, family.algorithms(), names, verifier)
}

/// Builds a verifier for each named algorithm; without names, for the first one that fits the key.
fn verifiers(
    what: &str,
    fitting: &[&str],
    names: &[String],
    verifier: impl Fn(Algorithm) -> Option<Verifier>,
) -> Result<Verifiers, String> {
    let names: Vec<&str> = match names {
        [] => fitting.iter().take(1).copied().collect(),
        names => names.iter().map(String::as_str).collect(),
    };
    let each = names.into_iter().map(|name| {
        let found = name.parse().ok().and_then(|algorithm| {
            let verifier = verifier(algorithm)?;
            Some((algorithm, verifier))
        });
        found.ok_or_else(|| {
            let fitting = fitting.join("`, `");
            format!("`{name}` is no algorithm for {what}: name `{fitting}`")
        })
    });
    each.collect()
}
