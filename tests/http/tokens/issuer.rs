//! An issuer of signed tokens for the tests.

use std::time::{SystemTime, UNIX_EPOCH};

use actix_throttle::JwtKey;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::KeyPair;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair,
    },
};
use serde_json::{Value, json};

type Sign = dyn Fn(&[u8]) -> Vec<u8>;

pub(crate) struct Issuer {
    algorithm: &'static str,
    key: JwtKey,
    sign: Box<Sign>,
}

impl Issuer {
    pub(crate) fn secret(secret: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Self {
            algorithm: "HS256",
            key: JwtKey::secret(secret),
            sign: Box::new(move |message| hmac::sign(&key, message).as_ref().to_vec()),
        }
    }

    pub(super) fn ed25519() -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        let signing = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pair.serialized_der());
        let signing = signing.expect("the key");
        Self {
            algorithm: "EdDSA",
            key: JwtKey::public(pair.public_key_pem()),
            sign: Box::new(move |message| signing.sign(message).as_ref().to_vec()),
        }
    }

    pub(super) fn p256() -> Self {
        Self::curve(
            "ES256",
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &ECDSA_P256_SHA256_FIXED_SIGNING,
        )
    }

    pub(super) fn p384() -> Self {
        Self::curve(
            "ES384",
            &rcgen::PKCS_ECDSA_P384_SHA384,
            &ECDSA_P384_SHA384_FIXED_SIGNING,
        )
    }

    fn curve(
        algorithm: &'static str,
        generated: &'static rcgen::SignatureAlgorithm,
        signing: &'static EcdsaSigningAlgorithm,
    ) -> Self {
        let pair = KeyPair::generate_for(generated).expect("a key");
        let random = SystemRandom::new();
        let signing = EcdsaKeyPair::from_pkcs8(signing, pair.serialized_der(), &random);
        let signing = signing.expect("the key");
        Self {
            algorithm,
            key: JwtKey::public(pair.public_key_pem()),
            sign: Box::new(move |message| {
                signing
                    .sign(&random, message)
                    .expect("a signature")
                    .as_ref()
                    .to_vec()
            }),
        }
    }

    pub(super) fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// The key that verifies its tokens.
    pub(super) fn key(&self) -> JwtKey {
        self.key.clone()
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_under(&json!({ "alg": self.algorithm, "typ": "JWT" }), claims)
    }

    /// Signs the claims under any header, valid or not.
    pub(super) fn token_under(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| encoded(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = encoded((self.sign)(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The Unix time in so many seconds from now, as in the claims of a token.
pub(crate) fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(now.as_secs()).expect("before the end of time") + seconds
}
