//! Identifiers: from a request to the identity that its limits count by.

mod client_ip;
mod client_settings;
mod combination;
mod forwarding;
mod identifier;
mod identifier_kind;
mod identify;
mod into_identifier;
mod into_identity;
#[cfg(feature = "jwt")]
mod jwt;
mod request_part;
#[cfg(feature = "session")]
mod session;
#[cfg(any(feature = "jwt", feature = "session"))]
mod user_group;

#[cfg(feature = "config")]
pub(crate) use self::client_settings::{ClientSettings, LiveClientSettings};
#[cfg(feature = "jwt")]
pub use self::jwt::{Jwt, JwtBuilder, JwtKey};
pub(crate) use self::{
    client_ip::ClientIp,
    client_settings::header_name,
    identify::Identified,
    into_identifier::{AsyncFunction, Function},
};
pub use self::{
    forwarding::ForwardingHeader, identifier::Identifier, into_identifier::IntoIdentifier,
    into_identity::IntoIdentity,
};
