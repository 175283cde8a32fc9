//! Extracts a token from a request and verifies its signature. It never checks the claims.

use actix_web::{HttpRequest, http::header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{dangerous::insecure_decode_claims, decode_header};

use super::{claims::Claims, error::TokenError, key::SigningKey};

/// The longest accepted token, in bytes, checked before decoding. Reverse proxies allow at most
/// about this much for a header line (nginx: 8 KiB), so no token in use is longer.
const MAX_TOKEN: usize = 8 * 1024;

#[derive(Debug)]
pub(super) enum TokenSource {
    /// The header `Authorization: Bearer` (RFC 6750).
    Bearer,
    Cookie(String),
}

impl TokenSource {
    pub(super) fn cookie(name: String) -> Result<Self, String> {
        // The check rejects only what certainly ends or splits a cookie's name.
        let wrong = |c: char| c.is_control() || c.is_whitespace() || "=;,\"".contains(c);
        match name.find(wrong) {
            None => Ok(Self::Cookie(name)),
            Some(_) => Err(format!("{name:?} is no name of a cookie")),
        }
    }

    /// Passes the token to `read`. `None` if the request has no token.
    pub(super) fn read<R>(
        &self,
        request: &HttpRequest,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Option<R> {
        match self {
            Self::Bearer => {
                let mut values = request.headers().get_all(header::AUTHORIZATION);
                // Two `Authorization` headers are ambiguous: another reader of the request, such as
                // a proxy, may use the other one.
                let (value, None) = (values.next()?, values.next()) else {
                    return None;
                };
                bearer(value.as_bytes()).map(read)
            }
            Self::Cookie(name) => {
                let cookie = request.cookie(name)?;
                let token = cookie.value().as_bytes();
                (!token.is_empty()).then(|| read(token))
            }
        }
    }
}

/// Returns the token after `Bearer`. Scheme names are case-insensitive (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked("bearer".len())?;
    let token = rest.trim_ascii();
    let is_bearer = scheme.eq_ignore_ascii_case(b"bearer") && rest.starts_with(b" ");
    (is_bearer && !token.is_empty()).then_some(token)
}

/// Verifies the signature and returns the claims.
///
/// `jsonwebtoken` only decodes here, and `ring` verifies. `jsonwebtoken::decode` uses one crypto
/// backend for the whole process, and panics if the features that other crates enabled brought none
/// or two.
pub(super) fn verify(token: &[u8], keys: &[SigningKey]) -> Result<Claims, TokenError> {
    let refuse = |why| Err(TokenError::Untrusted(why));
    if token.len() > MAX_TOKEN {
        return refuse("it is too long");
    }
    // This also rejects a token without three parts, and an unknown algorithm such as `none`.
    let Ok(header) = decode_header(token) else {
        return refuse("its header cannot be read");
    };
    // `crit` lists extensions that a verifier must understand (RFC 7515, section 4.1.11). None is
    // supported.
    if header.crit.is_some() {
        return refuse("its header demands an extension");
    }
    let Some(dot) = token.iter().rposition(|byte| *byte == b'.') else {
        return refuse("it has no signature");
    };
    let (message, signature) = (&token[..dot], &token[dot + 1..]);
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
        return refuse("its signature cannot be read");
    };
    let mut fitting = keys
        .iter()
        .filter(|key| key.serves(header.kid.as_deref()))
        .filter_map(|key| key.verifies(header.alg, message, &signature))
        .peekable();
    if fitting.peek().is_none() {
        return refuse("no key is for its `kid` and `alg`");
    }
    if !fitting.any(|genuine| genuine) {
        return refuse("its signature is of another key");
    }
    // This call is safe despite its name: the signature over these claims has been verified.
    insecure_decode_claims(token).or(refuse("its claims are no JSON object"))
}
