//! Snapshots without identities, for people who may see the counts but not the identities.

use super::snapshot::{ChangeSnapshot, Snapshot};

impl Snapshot {
    /// Hides identities: each is replaced by its source, such as `ip` or `header.x-api-key`, and a
    /// number by which the rows of one snapshot can be told apart. Errors and changes of the
    /// configuration, which may hold addresses, are reduced to what they are about.
    #[must_use]
    pub fn masked(mut self) -> Self {
        let mut mask = Mask::default();
        for policy in &mut self.policies {
            for denied in &mut policy.denied_most {
                denied.identity = mask.hide(&denied.identity);
                denied.is_known = false;
            }
        }
        let of_one = |change: &&mut ChangeSnapshot| !change.identity.is_empty();
        for change in self.changes.iter_mut().filter(of_one) {
            change.identity = mask.hide(&change.identity);
        }
        for reload in self.configuration.iter_mut().flat_map(|it| &mut it.reloads) {
            for line in &mut reload.changes {
                if ["allow ", "deny ", "trusted_proxies "]
                    .iter()
                    .any(|key| line.starts_with(key))
                    || line.contains(", networks ")
                {
                    let about = line.split(':').next().unwrap_or_default().len();
                    line.truncate(about);
                }
            }
            // The error quotes the file.
            if let Some(error) = &mut reload.error {
                *error = match error.lines().count() {
                    1 => "1 error".to_owned(),
                    count => format!("{count} errors"),
                };
            }
        }
        self
    }
}

/// Numbers for identities, in the order in which they appear.
#[derive(Debug, Default)]
pub(crate) struct Mask(Vec<String>);

impl Mask {
    pub(crate) fn hide(&mut self, text: &str) -> String {
        let number = match self.0.iter().position(|other| other == text) {
            Some(index) => index + 1,
            None => {
                self.0.push(text.to_owned());
                self.0.len()
            }
        };
        // The source is the application's word; the value is the client's.
        let source = text.split(['=', '!', ';']).next().unwrap_or_default();
        match source {
            // The context is left out, because it may be the client's.
            "global" if text == source => text.to_owned(),
            source if source.starts_with('(') => format!("combination #{number}"),
            source => format!("{source} #{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_throttle_core::identity::Identity;

    use super::*;

    #[test]
    fn nothing_of_a_client_is_left_of_an_identity() {
        let secret = "s-3c4e7";
        let identities = [
            (Identity::new(secret), "user #1"),
            (Identity::path("id", secret), "path.id #2"),
            (Identity::new("ann").context(secret), "user #3"),
            (Identity::global(), "global"),
            (Identity::global().context(secret), "global #5"),
            (
                Identity::all([Identity::new(secret), Identity::path("id", "7")]),
                "combination #6",
            ),
        ];
        let mut mask = Mask::default();
        for (identity, expected) in &identities {
            let text = identity.to_string();
            assert_eq!(mask.hide(&text), *expected, "{text}");
        }
        // One identity has one number.
        assert_eq!(mask.hide(&identities[1].0.to_string()), "path.id #2");
    }
}
