//! The parts of TLS that the Redis client leaves to the process. Pools and connections call this
//! module. It never replaces a provider that the application has installed.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use redis::{ErrorKind, RedisError};
use rustls::crypto::{CryptoProvider, ring};

/// Installs a crypto provider for the process, unless the application has installed one.
///
/// rustls has no built-in provider, and the client builds its TLS settings from the process's
/// default.
pub(crate) fn provide_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster, and then there is a provider.
        let _ = ring::default_provider().install_default();
    }
}

/// Awaits `connecting`, and turns a panic into an error.
///
/// rustls panics if the build has two providers and the process has installed neither. Whether a
/// pool of the application needs TLS cannot be seen before.
pub(crate) async fn without_panic<T>(
    connecting: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    // This is unwind-safe, because nothing of an attempt that has panicked is used again.
    let outcome = AssertUnwindSafe(connecting).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err((ErrorKind::InvalidClientConfig, NO_PROVIDER).into()))
}

const NO_PROVIDER: &str = "connecting has panicked; a pool for TLS needs the process to have \
    installed a provider of cryptography: call \
    rustls::crypto::ring::default_provider().install_default() before";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_of_the_client_is_an_error() {
        let connecting = async { panic!("no provider") };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let outcome: Result<(), RedisError> = runtime.unwrap().block_on(without_panic(connecting));
        assert!(outcome.unwrap_err().to_string().contains("install_default"));
    }
}
