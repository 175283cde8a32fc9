//! The identities whose counters are looked for: one identity, or the text that a person writes for
//! one.

use super::Identity;

/// The identities that a look-up means. Several stand for one where settings choose between them:
/// `plain_keys` and `ipv6_prefix`.
#[derive(Clone, Debug)]
pub struct IdentityQuery {
    identities: Vec<Identity>,
    /// The texts that keys in Redis may have, besides those of the identities.
    texts: Vec<String>,
}

impl IdentityQuery {
    /// Asks for the identity that is written like this; see [`Identity::key_texts`].
    #[must_use]
    pub fn written(text: &str) -> Self {
        Self {
            identities: Identity::candidates(text),
            texts: Identity::key_texts(text),
        }
    }

    /// Returns the identities. There are none if the text holds a hash: nothing can be told from
    /// that, and only Redis has keys with it.
    #[must_use]
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// Returns the texts that keys may have, the default one first.
    #[must_use]
    pub fn texts(&self, plain: bool) -> Vec<String> {
        let mut texts = self.texts.clone();
        if texts.is_empty() {
            texts.extend(self.identities.iter().map(|one| one.key_text(plain)));
        }
        texts
    }
}

impl From<Identity> for IdentityQuery {
    fn from(identity: Identity) -> Self {
        Self {
            identities: vec![identity],
            texts: Vec::new(),
        }
    }
}
