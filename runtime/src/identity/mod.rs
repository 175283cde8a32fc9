//! Identifiers: from a request to the identity that its limits count by.

mod client_ip;
mod combination;
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

#[cfg(feature = "jwt")]
pub use self::jwt::{Jwt, JwtBuilder, JwtKey};
pub use self::{
    client_ip::ForwardingHeader, identifier::Identifier, into_identifier::IntoIdentifier,
    into_identity::IntoIdentity,
};
pub(crate) use self::{
    client_ip::{ClientIp, parse_network},
    identify::Identified,
    into_identifier::{AsyncFunction, Function},
};
