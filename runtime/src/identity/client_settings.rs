//! The settings about clients: by the builder of a limiter, and by a configuration file that may be
//! replaced while requests are served.

use std::{
    fmt,
    sync::{Arc, Weak},
};

#[cfg(any(feature = "config", test))]
use actix_throttle_core::network::ClientSpec;
use actix_throttle_core::network::{
    AccessList, NetworkError, TrustedProxies, check_client_ip_header,
};
use actix_web::http::header::HeaderName;
use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

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

/// Parses the name of the header of the client's address.
///
/// # Errors
///
/// If it is the name of no header, or of one that never holds an address alone.
pub(crate) fn header_name(name: &str) -> Result<HeaderName, NetworkError> {
    check_client_ip_header(name)?;
    HeaderName::try_from(name).map_err(|_| NetworkError::Header(name.to_owned()))
}

/// The settings of a limiter's builder about the header of the client's address.
#[derive(Debug, PartialEq)]
pub(crate) struct OwnTrust {
    pub(crate) client_ip_header: Option<HeaderName>,
    pub(crate) has_proxies: bool,
}

impl OwnTrust {
    /// Returns a text about a header that is named, here or in the file, and never believed.
    pub(crate) fn warning(&self, file: Option<&ClientSettings>) -> Option<String> {
        let of_file = file.and_then(|file| file.client_ip_header.as_ref());
        let name = of_file.or(self.client_ip_header.as_ref())?;
        let is_believed = self.has_proxies || file.is_some_and(|file| !file.proxies.is_empty());
        (!is_believed).then(|| {
            format!(
                "`client_ip_header` is `{name}`, which is believed from trusted proxies alone, and \
                 there are none: name them by `trusted_proxies`"
            )
        })
    }
}

/// The settings of a configuration, as they are now. A cheap handle.
#[derive(Clone)]
pub(crate) struct LiveClientSettings(Arc<Live>);

struct Live {
    current: ArcSwap<ClientSettings>,
    /// The limiters that use the configuration.
    limiters: Mutex<Vec<Weak<OwnTrust>>>,
}

impl LiveClientSettings {
    #[cfg(any(feature = "config", test))]
    pub(crate) fn new(first: ClientSettings) -> Self {
        Self(Arc::new(Live {
            current: ArcSwap::from_pointee(first),
            limiters: Mutex::new(Vec::new()),
        }))
    }

    /// Replaces the settings for all workers at once. Returns a text about a header that a limiter
    /// never believes from now on.
    #[cfg(any(feature = "config", test))]
    pub(crate) fn replace(&self, next: ClientSettings) -> Option<String> {
        let next = Arc::new(next);
        self.0.current.store(Arc::clone(&next));
        let limiters = self.0.limiters.lock();
        let mut limiters = limiters.iter().filter_map(Weak::upgrade);
        limiters.find_map(|own| own.warning(Some(&next)))
    }

    /// Adds a limiter, for as long as it lives.
    pub(super) fn join(&self, own: &Arc<OwnTrust>) {
        let mut limiters = self.0.limiters.lock();
        limiters.retain(|own| own.strong_count() > 0);
        limiters.push(Arc::downgrade(own));
    }

    pub(super) fn current(&self) -> Guard<Arc<ClientSettings>> {
        self.0.current.load()
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
