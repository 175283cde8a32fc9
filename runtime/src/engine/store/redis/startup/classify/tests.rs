//! Tests of the classification of startup errors.

use std::io;

use super::*;
use crate::engine::store::pool_for;

fn judged(text: &str, url: &str) -> Result<(), InitError> {
    let error = RedisError::from(io::Error::other(text.to_owned()));
    classify(&error, &pool_for(url).unwrap())
}

#[test]
fn unknown_name_differs_from_a_failed_resolver() {
    const LOOKUP: &str = "failed to lookup address information";
    for sure in [
        "Name or service not known",
        "Name does not resolve",
        "nodename nor servname provided, or not known",
        "No such host is known. (os error 11001)",
    ] {
        let error = judged(&format!("{LOOKUP}: {sure}"), "redis://:secret@cache").unwrap_err();
        let text = error.to_string();
        assert!(error.is_settings(), "{text}");
        assert!(
            text.contains("`cache`") && !text.contains("secret"),
            "{text}"
        );
    }
    for unsure in [
        "Temporary failure in name resolution",
        "Try again",
        "Non-recoverable failure in name resolution",
        "No address associated with hostname",
    ] {
        assert!(
            judged(&format!("{LOOKUP}: {unsure}"), "redis://cache").is_ok(),
            "{unsure}"
        );
    }
}

/// A TLS handshake may contain a line break, to which Redis replies with a plain error.
#[cfg(feature = "tls")]
#[test]
fn plain_answer_to_a_handshake_is_no_matter_of_certificates() {
    let text = "received corrupt message of type InvalidContentType";
    let error = judged(text, "rediss://h").unwrap_err();
    assert!(error.is_server());
    assert!(error.to_string().contains("speaks no TLS"), "{error}");
}
