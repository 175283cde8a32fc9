//! Tests of [`Jwt`]: helpers that make signed tokens at a fixed time.

mod any_token;
mod foreign;
mod hostile;
mod keys;
mod rules;

use actix_throttle_core::identity::IdentityValue;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::{Value as Json, json};

use super::*;

const SECRET: &str = "a secret of 32 bytes for the test";
/// The time at which tokens are examined, in seconds since the Unix epoch.
const NOW: u64 = 1_700_000_000;

/// Returns a token with these claims, signed with [`SECRET`].
fn signed(claims: &Json) -> String {
    signed_with(&json!({ "alg": "HS256", "typ": "JWT" }), claims, SECRET)
}

fn signed_with(header: &Json, claims: &Json, secret: &str) -> String {
    signed_parts(header.to_string(), claims.to_string(), secret)
}

/// Returns a signed token from raw parts, which need not be JSON.
fn signed_parts(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>, secret: &str) -> String {
    let [header, claims] = [encoded(header), encoded(claims)];
    let message = format!("{header}.{claims}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = encoded(hmac::sign(&key, message.as_bytes()));
    format!("{message}.{signature}")
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn built(builder: JwtBuilder) -> Jwt {
    builder.build().unwrap()
}

/// Returns a builder whose only key is [`SECRET`].
fn jwt() -> JwtBuilder {
    Jwt::builder().key(JwtKey::secret(SECRET))
}

/// Examines the token and returns `user/group`.
fn examined(jwt: &Jwt, token: impl AsRef<[u8]>) -> Result<String, TokenError> {
    let identity = jwt.examine_at(token.as_ref(), NOW)?;
    let IdentityValue::Bytes(user) = identity.value() else {
        panic!("a user: {identity:?}");
    };
    let user = str::from_utf8(user).unwrap();
    Ok(format!("{user}/{}", identity.group_name().unwrap()))
}

fn untrusted(result: &Result<String, TokenError>) -> bool {
    matches!(result, Err(TokenError::Untrusted(_)))
}

#[test]
fn clones_are_one_identifier_and_others_are_others() {
    let jwt = built(self::jwt());
    let identifier = crate::Identifier::jwt(jwt.clone());
    assert!(identifier.is_same(&identifier.clone()));
    assert!(identifier.is_same(&crate::Identifier::jwt(jwt)));
    assert!(!identifier.is_same(&crate::Identifier::jwt(built(self::jwt()))));
}

#[test]
fn nothing_secret_is_shown() {
    let shown = format!("{:?} {:?}", jwt(), built(jwt()));
    assert!(!shown.contains(SECRET), "{shown}");
    let bytes = format!("{:?}", SECRET.as_bytes());
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
}
