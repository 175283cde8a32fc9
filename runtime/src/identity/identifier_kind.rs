//! The kinds of identifiers: the variants behind [`Identifier`](super::Identifier).

use std::{any::TypeId, fmt, future::Future, pin::Pin, sync::Arc};

use actix_throttle_core::identity::{CombinationError, Identity, IdentitySource, RequestPart};
use actix_web::HttpRequest;

#[cfg(feature = "jwt")]
use super::jwt::Jwt;
#[cfg(feature = "session")]
use super::session::SessionKeys;

#[derive(Clone)]
pub(super) enum IdentifierKind {
    Global,
    Client,
    RequestPart(RequestPart, Arc<str>),
    #[cfg(feature = "session")]
    Session(SessionKeys),
    #[cfg(feature = "jwt")]
    Jwt(Jwt),
    Function(Option<TypeId>, Arc<IdentifyFn>),
    AsyncFunction(Option<TypeId>, Arc<AsyncIdentifyFn>),
    /// A combination, which has two parts at least. No part is a combination itself.
    All(Arc<[IdentifierKind]>),
    /// A combination that identifies no request, for this reason.
    Invalid(CombinationError),
}

/// A function of the application. The `u8` is the IPv6 prefix, in bits, of addresses it returns.
type IdentifyFn = dyn Fn(&HttpRequest, u8) -> Option<Identity> + Send + Sync;
type AsyncIdentifyFn = dyn for<'a> Fn(&'a HttpRequest, u8) -> IdentityFuture<'a> + Send + Sync;
pub(crate) type IdentityFuture<'a> = Pin<Box<dyn Future<Output = Option<Identity>> + 'a>>;

impl IdentifierKind {
    /// Returns whether both certainly give the same identity, so that one call is enough.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Global, Self::Global) | (Self::Client, Self::Client) => true,
            (Self::RequestPart(part, name), Self::RequestPart(other, other_name)) => {
                part == other && name == other_name
            }
            #[cfg(feature = "session")]
            (Self::Session(keys), Self::Session(other)) => keys == other,
            #[cfg(feature = "jwt")]
            (Self::Jwt(jwt), Self::Jwt(other)) => jwt.is_same(other),
            (Self::Function(id, one), Self::Function(other_id, other)) => {
                (id.is_some() && id == other_id) || Arc::ptr_eq(one, other)
            }
            (Self::AsyncFunction(id, one), Self::AsyncFunction(other_id, other)) => {
                (id.is_some() && id == other_id) || Arc::ptr_eq(one, other)
            }
            (Self::All(parts), Self::All(others)) => {
                let mut pairs = parts.iter().zip(&**others);
                parts.len() == others.len() && pairs.all(|(one, other)| one.is_same(other))
            }
            _ => false,
        }
    }

    /// Returns the source of the identities. Functions of the application may return others.
    pub(super) fn source(&self) -> IdentitySource {
        match self {
            Self::Global => IdentitySource::Global,
            Self::Client => IdentitySource::Client,
            Self::RequestPart(part, name) => IdentitySource::RequestPart(*part, Arc::clone(name)),
            #[cfg(feature = "session")]
            Self::Session(keys) => keys.source(),
            #[cfg(feature = "jwt")]
            Self::Jwt(jwt) => jwt.source(),
            Self::Function(..) | Self::AsyncFunction(..) => IdentitySource::Application,
            Self::All(parts) => IdentitySource::All(parts.iter().map(Self::source).collect()),
            Self::Invalid(_) => IdentitySource::All(Box::default()),
        }
    }
}

impl fmt::Debug for IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Client => f.write_str("ip"),
            Self::RequestPart(part, name) => write!(f, "{part:?}({name:?})"),
            #[cfg(feature = "session")]
            Self::Session(keys) => write!(f, "Session({:?}, {:?})", keys.user, keys.group),
            #[cfg(feature = "jwt")]
            Self::Jwt(jwt) => jwt.fmt(f),
            Self::Function(..) => f.write_str("function"),
            Self::AsyncFunction(..) => f.write_str("async function"),
            Self::All(parts) => f.debug_list().entries(&**parts).finish(),
            Self::Invalid(_) => f.write_str("invalid combination"),
        }
    }
}
