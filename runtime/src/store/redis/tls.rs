//! What TLS needs beside the client.

use rustls::crypto::{CryptoProvider, ring};

/// rustls brings no cryptography of its own, and the client builds its settings from the process's
/// default, without one by a panic. What the application has installed is used.
pub(super) fn provide_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster; then there is one.
        let _ = ring::default_provider().install_default();
    }
}
