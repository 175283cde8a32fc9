//! The kinds of identifiers: the variants behind [`Identifier`](super::Identifier).

use std::{any::TypeId, fmt, future::Future, pin::Pin, sync::Arc};

use actix_throttle_core::identity::{Identity, RequestPart};
use actix_web::HttpRequest;

#[cfg(feature = "jwt")]
use super::jwt::Jwt;
#[cfg(feature = "session")]
use super::session::SessionKeys;

#[derive(Clone)]
pub(super) enum Kind {
    Global,
    Client,
    RequestPart(RequestPart, Arc<str>),
    #[cfg(feature = "session")]
    Session(SessionKeys),
    #[cfg(feature = "jwt")]
    Jwt(Jwt),
    Function(Option<TypeId>, Arc<SyncFn>),
    AsyncFunction(Option<TypeId>, Arc<BoxedFn>),
}

/// A function of the application. The `u8` is the IPv6 prefix, in bits, of addresses it returns.
type SyncFn = dyn Fn(&HttpRequest, u8) -> Option<Identity> + Send + Sync;
type BoxedFn = dyn for<'a> Fn(&'a HttpRequest, u8) -> IdentityFuture<'a> + Send + Sync;
pub(crate) type IdentityFuture<'a> = Pin<Box<dyn Future<Output = Option<Identity>> + 'a>>;

impl Kind {
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
            _ => false,
        }
    }
}

impl fmt::Debug for Kind {
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
        }
    }
}
