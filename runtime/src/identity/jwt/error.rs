//! The reasons why a token does not count.

/// The reason why a token does not count.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// The token proves nothing: any client can send it. It is logged at debug level only.
    Untrusted(&'static str),
    /// One of the keys signed the token, but a claim is missing or wrong. The issuer or these
    /// settings are misconfigured, so this is logged as a warning.
    Unusable(String),
}
