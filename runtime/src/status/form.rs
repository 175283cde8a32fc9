//! The form of a POST: read whole, in bounds, and checked.

use actix_throttle_core::text;
use actix_web::{HttpRequest, dev::UrlEncoded, web};
use serde::Deserialize;

use super::query::Done;
use crate::engine::Change;

/// The longest form, in bytes: an identity of 4 KiB, each byte escaped, and the rest.
const LONGEST: usize = 16 * 1024;
/// The longest identity that is read, in bytes.
pub(super) const LONGEST_IDENTITY: usize = 4 * 1024;

/// The fields of a form. Each view reads those that it needs.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    pub(super) identity: String,
    /// The policy of a change; empty: all of them.
    #[serde(default)]
    pub(super) policy: String,
    #[serde(default)]
    pub(super) change: String,
    #[serde(default)]
    pub(super) length: String,
    /// The word `yes` once a person has confirmed the change.
    #[serde(default)]
    pub(super) confirmed: String,
}

impl Form {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// If it is no form, or too long: a text for people.
    pub(super) async fn read(request: &HttpRequest, body: web::Payload) -> Result<Self, String> {
        let mut body = body.into_inner();
        let form = UrlEncoded::<Self>::new(request, &mut body)
            .limit(LONGEST)
            .await;
        let form = form.map_err(|error| format!("The form cannot be read: {error}."))?;
        if form.identity.len() <= LONGEST_IDENTITY {
            Ok(form)
        } else {
            Err("The identity is longer than 4 KiB.".to_owned())
        }
    }

    /// Returns the change that the form asks for.
    ///
    /// # Errors
    ///
    /// If there is none of that name, or a block has no length: a text for people.
    pub(super) fn wanted(&self) -> Result<Change, String> {
        match Done::parse(&self.change) {
            Some(Done::Reset) => Ok(Change::Reset),
            Some(Done::Unblock) => Ok(Change::Unblock),
            Some(Done::Block) => text::duration::parse(self.length.trim(), "\"10m\"")
                .map(Change::Block)
                .map_err(|error| format!("The length of the block is {error}.")),
            Some(Done::PartlyReset) | None => {
                Err("The change is none of reset, block and unblock.".to_owned())
            }
        }
    }
}
