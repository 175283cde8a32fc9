//! Combinations: several identities that are counted as one, such as a client's address and its
//! tenant.

use std::fmt;

use super::{Identity, IdentitySource, IdentityValue};

/// An error in the parts of a combination, in one wording for the attribute, the builder
/// and the file.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CombinationError {
    /// Fewer than two parts.
    Few,
    /// The part is the same for all requests.
    Global,
    /// This part stands there twice.
    Repeated(String),
    /// A part is itself a combination.
    Nested,
}

impl fmt::Display for CombinationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Few => f.write_str(
                "a combination has at least two parts: add another identifier, or write the one \
                 without a combination",
            ),
            Self::Global => f.write_str(
                "`global` is the same for all requests and tells none apart: remove it from the \
                 combination",
            ),
            Self::Repeated(part) => {
                write!(f, "`{part}` is in the combination already: remove it")
            }
            Self::Nested => {
                f.write_str("a combination within a combination: write all of its parts into one")
            }
        }
    }
}

impl Identity {
    /// Returns the identity of a combination, as `Identifier::all` counts it: each combination of
    /// parts has a counter of its own. The order of the parts matters.
    ///
    /// Its group is that of the first part that has one. A part that is a combination itself is
    /// replaced by its parts.
    ///
    /// ```
    /// use actix_throttle::{Identity, IdentityKind};
    ///
    /// let address = "192.0.2.1".parse().unwrap();
    /// let pair = Identity::all([Identity::ip(address), Identity::header("X-Tenant", "a")]);
    /// assert_eq!(pair.kind(), IdentityKind::Combination);
    /// assert_eq!(pair.parts().next(), Some(Identity::ip(address)));
    /// ```
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let (mut sources, mut values, mut group) = (Vec::new(), Vec::new(), None);
        for part in parts {
            group = group.or(part.group);
            match (part.source, part.value) {
                (IdentitySource::All(inner), IdentityValue::All(inner_values)) => {
                    sources.extend(inner);
                    values.extend(inner_values);
                }
                (source, value) => {
                    sources.push(source);
                    values.push(value);
                }
            }
        }
        Self {
            source: IdentitySource::All(sources.into()),
            value: IdentityValue::All(values.into()),
            group,
        }
    }

    /// Returns the parts of a combination, without their groups. Any other identity has none, and
    /// so has an [unidentified](Self::is_unidentified) one.
    pub fn parts(&self) -> impl Iterator<Item = Self> {
        let (sources, values) = match self.innermost() {
            (IdentitySource::All(sources), IdentityValue::All(values)) => (&**sources, &**values),
            _ => (&[][..], &[][..]),
        };
        let parts = sources.iter().zip(values);
        parts.map(|(source, value)| Self::of(source.clone(), value.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(tenant: &str) -> Identity {
        let address = "192.0.2.1".parse().expect("an address");
        Identity::all([Identity::ip(address), Identity::header("X-Tenant", tenant)])
    }

    #[test]
    fn combination_in_combination_is_one() {
        let whole = Identity::all([pair("a"), Identity::cookie("sid", "1")]);
        assert_eq!(whole.parts().count(), 3);
        let (ip, tenant) = (pair("a").parts().next(), Identity::header("X-Tenant", "a"));
        let flat = [ip.expect("a part"), tenant, Identity::cookie("sid", "1")];
        assert_eq!(whole, Identity::all(flat));
    }

    #[test]
    fn first_group_of_the_parts_is_that_of_the_whole() {
        let user = Identity::new("42").group("pro");
        let tenant = Identity::new("t").group("trial");
        let whole = Identity::all([Identity::global(), user, tenant]);
        assert_eq!(whole.group_name(), Some("pro"));
        assert!(whole.parts().all(|part| part.group_name().is_none()));
    }

    #[test]
    fn context_of_combination_keeps_its_parts() {
        let inside = pair("a").context("room;7");
        assert_eq!(inside.parts().count(), 2);
        assert_eq!(inside.context_key(), Some("room;7"));
        assert_ne!(inside, pair("a"));
    }

    /// Writes identities as keys that a client tries to make equal, with values in the clear.
    #[test]
    fn no_two_combinations_have_the_same_key() {
        let hostile = [
            "a",
            "b",
            "a&user=b",
            "a)&(user=b",
            "(user=a",
            "a;b",
            "a&",
            "&a",
            "",
            "=",
            "%26",
            "#",
            "a&header.x=b",
            "user=a&user=b",
            "a!192.0.2.1",
            "{a}",
            "a:b",
            "\u{fffd}",
            "é",
        ];
        let mut identities = Vec::new();
        for one in hostile {
            identities.push(Identity::new(one));
            identities.push(Identity::new("x").context(one));
            for other in hostile {
                let [one, other] = [one, other].map(Identity::new);
                let third = Identity::header("x", "b");
                identities.push(Identity::all([one.clone(), other.clone()]));
                identities.push(Identity::all([one.clone(), other.clone(), third]));
                identities.push(Identity::all([one.clone(), other.clone()]).context("a"));
                identities.push(Identity::all([one, other.context("a")]));
            }
        }
        let combined = pair("a").source().clone();
        identities.push(Identity::unidentified(combined, None));
        let count = identities.len();
        // A context with an empty key is the identity itself.
        let distinct: std::collections::HashSet<_> = identities.iter().cloned().collect();
        for plain in [false, true] {
            let key = |identity: &Identity| {
                let mut text = String::new();
                identity.write_key(&mut text, plain).expect("a string");
                text
            };
            let keys: std::collections::HashSet<_> = identities.iter().map(key).collect();
            assert_eq!(keys.len(), distinct.len(), "of {count}, plain: {plain}");
        }
    }

    #[test]
    fn key_of_combination_is_readable() {
        let address = "192.0.2.1".parse().expect("an address");
        let whole = Identity::all([Identity::ip(address), Identity::new("ann")]);
        assert_eq!(whole.to_string(), "(ip=192.0.2.1&user=ann)");
        let source = pair("a").source().clone();
        let missing = Identity::unidentified(source, Some("192.0.2.1/32".parse().expect("one")));
        assert_eq!(missing.to_string(), "(ip&header.x-tenant)!192.0.2.1");
        assert!(missing.is_unidentified());
        assert_eq!(missing.parts().count(), 0);
    }
}
