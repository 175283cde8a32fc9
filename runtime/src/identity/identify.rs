//! Identification: from a request to an identity, by each kind of identifier.

use actix_throttle_core::identity::Identity;
use actix_web::HttpRequest;

use super::{
    ClientIp,
    identifier_kind::{IdentifierKind, IdentityFuture},
    request_part,
};

/// The result of an identifier. Only an async function is `Pending`.
pub(crate) enum Identified<'a> {
    /// The identity; `None` if the request is unidentified.
    Ready(Option<Identity>),
    Pending(IdentityFuture<'a>),
}

impl IdentifierKind {
    /// Identifies the request.
    pub(super) fn identify<'a>(
        &self,
        request: &'a HttpRequest,
        clients: &ClientIp,
    ) -> Identified<'a> {
        Identified::Ready(match self {
            Self::Global => Some(Identity::global()),
            Self::Client => Some(Identity::client(clients.network(request))),
            Self::RequestPart(part, name) => request_part::identify(request, *part, name),
            #[cfg(feature = "session")]
            Self::Session(keys) => keys.identify(request),
            #[cfg(feature = "jwt")]
            Self::Jwt(jwt) => jwt.identify(request),
            Self::Function(_, function) => function(request, clients.ipv6_prefix),
            Self::AsyncFunction(_, function) => {
                return Identified::Pending(function(request, clients.ipv6_prefix));
            }
            Self::All(parts) => return identify_all(parts, request, clients),
            Self::Invalid(_) => None,
        })
    }

    /// Identifies the request without effects: calls no function of the application, verifies no
    /// token. After `None` the caller falls back to `identify`, which reads the request again.
    pub(super) fn try_identify(
        &self,
        request: &HttpRequest,
        clients: &ClientIp,
    ) -> Option<Identity> {
        match self {
            Self::Global => Some(Identity::global()),
            Self::Client => Some(Identity::client(clients.network(request))),
            Self::RequestPart(part, name) => request_part::identify(request, *part, name),
            Self::All(parts) => {
                let parts = parts.iter().map(|part| part.try_identify(request, clients));
                let parts: Option<Vec<_>> = parts.collect();
                Some(Identity::all(parts?))
            }
            #[cfg(feature = "session")]
            Self::Session(_) => None,
            #[cfg(feature = "jwt")]
            Self::Jwt(_) => None,
            Self::Function(..) | Self::AsyncFunction(..) | Self::Invalid(_) => None,
        }
    }
}

/// Identifies a request by all parts of a combination. If one of them finds nothing, the request is
/// unidentified, and no async function is awaited after that.
fn identify_all<'a>(
    parts: &[IdentifierKind],
    request: &'a HttpRequest,
    clients: &ClientIp,
) -> Identified<'a> {
    let mut identified = Vec::with_capacity(parts.len());
    let mut is_pending = false;
    for part in parts {
        let part = part.identify(request, clients);
        match &part {
            Identified::Ready(None) => return Identified::Ready(None),
            Identified::Ready(Some(_)) => {}
            Identified::Pending(_) => is_pending = true,
        }
        identified.push(part);
    }
    if is_pending {
        return Identified::Pending(Box::pin(await_all(identified)));
    }
    let ready = identified.into_iter().filter_map(|part| match part {
        Identified::Ready(identity) => identity,
        Identified::Pending(_) => None,
    });
    Identified::Ready(Some(Identity::all(ready)))
}

/// Awaits the async parts of a combination, one after the other.
///
/// # Cancel safety
///
/// If the future is dropped midway, it has charged nothing.
async fn await_all(parts: Vec<Identified<'_>>) -> Option<Identity> {
    let mut identities = Vec::with_capacity(parts.len());
    for part in parts {
        identities.push(match part {
            Identified::Ready(identity) => identity?,
            Identified::Pending(future) => future.await?,
        });
    }
    Some(Identity::all(identities))
}
