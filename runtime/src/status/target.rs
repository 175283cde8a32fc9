//! The identity that a request is about: found by the text that a person or the page has written.

use actix_throttle_core::identity::Identity;

use super::form::LONGEST_IDENTITY;
use crate::limiter::RateLimiter;

/// An identity, and the text by which the next request finds it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) identity: Identity,
    /// The text that keys have of it.
    pub(super) text: String,
    /// The text that a form sends for it: the text of keys if that is enough, else the value in the
    /// clear, which belongs into no address.
    pub(super) written: String,
}

impl Target {
    /// Finds an identity.
    ///
    /// # Errors
    ///
    /// If the text has a hash in place of a value, and no identity that is denied often has this
    /// hash: a text for people.
    pub(super) fn find(limiter: &RateLimiter, written: &str) -> Result<Self, String> {
        let written = written.trim();
        if written.is_empty() {
            return Err("There is no identity to look for.".to_owned());
        }
        if written.len() > LONGEST_IDENTITY {
            return Err("The identity is longer than 4 KiB.".to_owned());
        }
        let prefix = limiter.settings().clients.ipv6_prefix;
        let Ok(identity) = Identity::parse(written, prefix) else {
            let identity = limiter.engine().find_identity(written).ok_or(
                "Only a hash is known of this identity, and it is not among those that are denied \
                 most in this process. Write its value: header.X-Api-Key=…",
            )?;
            return Ok(Self {
                identity,
                text: written.to_owned(),
                written: written.to_owned(),
            });
        };
        let text = identity.to_string();
        let is_enough = Identity::parse(&text, prefix).as_ref() == Ok(&identity);
        Ok(Self {
            written: if is_enough {
                text.clone()
            } else {
                written.to_owned()
            },
            identity,
            text,
        })
    }

    /// Whether the text of keys leads to the identity, so that an address may have it.
    pub(super) fn has_address(&self) -> bool {
        self.written == self.text
    }
}
