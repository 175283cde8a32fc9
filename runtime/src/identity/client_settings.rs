//! The settings about clients: by the builder of a limiter, and by a configuration file that may be
//! replaced while requests are served.

use std::{fmt, sync::Arc};

#[cfg(any(feature = "config", test))]
use actix_throttle_core::network::ClientSpec;
use actix_throttle_core::network::{AccessList, NetworkError, TrustedProxies, check_header_name};
use actix_web::http::header::HeaderName;
use arc_swap::{ArcSwap, Guard};

/// Networks, proxies and the header of the client's address, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ClientSettings {
    pub(crate) access: AccessList,
    pub(crate) proxies: TrustedProxies,
    pub(crate) client_ip_header: Option<HeaderName>,
}

#[cfg(any(feature = "config", test))]
impl ClientSettings {
    /// Makes the settings of a spec.
    ///
    /// # Errors
    ///
    /// If the header's name is not valid.
    pub(crate) fn new(spec: ClientSpec) -> Result<Self, NetworkError> {
        let ClientSpec {
            access,
            proxies,
            client_ip_header,
        } = spec;
        let name = client_ip_header.as_deref().map(header_name);
        Ok(Self {
            access,
            proxies,
            client_ip_header: name.transpose()?,
        })
    }
}

/// Parses the name of a header.
///
/// # Errors
///
/// If the name is not valid.
pub(crate) fn header_name(name: &str) -> Result<HeaderName, NetworkError> {
    check_header_name(name)?;
    HeaderName::try_from(name).map_err(|_| NetworkError::Header(name.to_owned()))
}

/// The settings of a configuration, as they are now. A cheap handle.
#[derive(Clone)]
pub(crate) struct LiveClientSettings(Arc<ArcSwap<ClientSettings>>);

impl LiveClientSettings {
    #[cfg(any(feature = "config", test))]
    pub(crate) fn new(first: ClientSettings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(first)))
    }

    /// Replaces the settings for all workers at once.
    #[cfg(any(feature = "config", test))]
    pub(crate) fn replace(&self, next: ClientSettings) {
        self.0.store(Arc::new(next));
    }

    pub(super) fn current(&self) -> Guard<Arc<ClientSettings>> {
        self.0.load()
    }
}

impl PartialEq for LiveClientSettings {
    /// Whether both are those of one configuration.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for LiveClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.current().fmt(f)
    }
}
