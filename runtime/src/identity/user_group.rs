//! A user and a group as JSON values, which sessions and tokens share. This module decides which
//! JSON values are acceptable, never where they come from.

use std::borrow::Cow;

use actix_throttle_core::identity::{Identity, IdentitySource, IdentityValue};
use serde_json::Value as Json;

/// The group of a user without one.
const DEFAULT_GROUP: &str = "default";

/// The reason why JSON values give no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UserGroupError {
    /// The user is missing or empty.
    NoUser,
    /// The user is neither a text nor a whole number.
    User,
    /// The group is neither a text nor a whole number.
    Group,
}

pub(super) struct UserGroup {
    pub(super) user: String,
    group: Cow<'static, str>,
}

impl UserGroup {
    /// Reads both values. An absent, empty or `null` group becomes `default`.
    pub(super) fn read(user: Option<&Json>, group: Option<&Json>) -> Result<Self, UserGroupError> {
        let user = text(user).ok_or(UserGroupError::User)?;
        let group = text(group).ok_or(UserGroupError::Group)?;
        if user.is_empty() {
            return Err(UserGroupError::NoUser);
        }
        Ok(Self {
            user: user.into_owned(),
            group: if group.is_empty() {
                Cow::Borrowed(DEFAULT_GROUP)
            } else {
                Cow::Owned(group.into_owned())
            },
        })
    }

    pub(super) fn identity(self, source: IdentitySource) -> Identity {
        let value = IdentityValue::Bytes(self.user.into_bytes().into());
        Identity::of(source, value).group(self.group)
    }
}

/// Returns a text, or a whole number as text (`42` as `"42"`); the empty text for an absent value.
/// `None` for any other type, and for whole numbers beyond 64 bits: JSON readers round those, and
/// two users could become one.
fn text(json: Option<&Json>) -> Option<Cow<'_, str>> {
    match json {
        None | Some(Json::Null) => Some(Cow::Borrowed("")),
        Some(Json::String(text)) => Some(Cow::Borrowed(text)),
        Some(Json::Number(number)) if number.is_u64() || number.is_i64() => {
            Some(Cow::Owned(number.to_string()))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_and_whole_numbers_state_a_user() {
        let identity = |user: Json, group: Json| {
            let stated = UserGroup::read(Some(&user), Some(&group))?;
            Ok(stated.identity(IdentitySource::Application))
        };
        let of = |user: &str, group: &'static str| Ok(Identity::new(user).group(group));
        let too_large: Json = serde_json::from_str("18446744073709551616").unwrap();
        for (user, group, expected) in [
            (json!("ann"), json!("pro"), of("ann", "pro")),
            (json!(42), json!(7), of("42", "7")),
            (json!("42"), json!(""), of("42", "default")),
            (
                json!(u64::MAX),
                json!(null),
                of("18446744073709551615", "default"),
            ),
            (json!(i64::MIN), json!("a"), of("-9223372036854775808", "a")),
            (json!(""), json!("pro"), Err(UserGroupError::NoUser)),
            (json!(null), json!("pro"), Err(UserGroupError::NoUser)),
            (json!(1.5), json!("pro"), Err(UserGroupError::User)),
            (too_large, json!("pro"), Err(UserGroupError::User)),
            (json!(true), json!("pro"), Err(UserGroupError::User)),
            (json!(["ann"]), json!("pro"), Err(UserGroupError::User)),
            (json!({"id": 1}), json!("pro"), Err(UserGroupError::User)),
            (json!("ann"), json!(["pro"]), Err(UserGroupError::Group)),
            (json!("ann"), json!(false), Err(UserGroupError::Group)),
        ] {
            assert_eq!(identity(user, group), expected);
        }
        let nothing = UserGroup::read(None, None);
        assert_eq!(nothing.err(), Some(UserGroupError::NoUser));
    }
}
