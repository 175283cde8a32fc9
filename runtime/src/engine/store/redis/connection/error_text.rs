//! The texts of connection errors, where the client passes on no code. Connecting and the
//! startup check ask it.

/// The error of a Redis that has reached its `maxclients`.
pub(crate) const FULL: &str = "max number of clients reached";

/// The advice about a connection error, by its text.
pub(crate) fn advice(said: &str) -> Option<&'static str> {
    said.contains(FULL)
        .then_some("it has as many clients as its `maxclients` allows; raise that, or close some")
}

/// Whether this is the error of a server that does not serve the client at all.
pub(crate) fn turns_away(said: &str) -> bool {
    said.contains(FULL) || said.contains("protected mode")
}

/// Whether the resolver is sure that there is no such name. Its words are searched, because no code
/// comes with them.
///
/// A resolver that cannot tell now (`EAI_AGAIN`, `EAI_FAIL`), or that knows the name without an
/// address (`EAI_NODATA`), uses other words.
pub(crate) fn is_unknown_name(said: &str) -> bool {
    [
        // The words of glibc.
        "Name or service not known",
        // The words of musl and FreeBSD.
        "Name does not resolve",
        // The words of macOS.
        "nodename nor servname provided, or not known",
        // The code of Windows: WSAHOST_NOT_FOUND.
        "os error 11001",
    ]
    .iter()
    .any(|words| said.contains(words))
}

/// Whether the error is about TLS, by the words of rustls: its errors arrive wrapped or quoted.
pub(crate) fn is_about_tls(said: &str) -> bool {
    [
        "peer certificate",
        "received fatal alert",
        // The error about the file of trusted authorities.
        "failed to read PEM",
    ]
    .iter()
    .any(|words| said.contains(words))
}
