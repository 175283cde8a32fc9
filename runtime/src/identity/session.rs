//! Reads the user and the group from a session of `actix-session`. It never changes the session.

use std::sync::Arc;

use actix_session::SessionExt;
use actix_throttle_core::identity::{Identity, IdentitySource};
use actix_web::HttpRequest;
use serde_json::Value as Json;

use super::user_group::{UserGroup, UserGroupError};
use crate::engine::log_lines::UNREADABLE_SESSIONS;

/// The keys of a session's values for the user and the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SessionKeys {
    pub(super) user: Arc<str>,
    pub(super) group: Arc<str>,
}

impl SessionKeys {
    pub(super) fn source(&self) -> IdentitySource {
        IdentitySource::Session(Arc::clone(&self.user))
    }

    pub(super) fn identify(&self, request: &HttpRequest) -> Option<Identity> {
        let session = request.get_session();
        let entries = session.entries();
        // A session store may hold values that are not JSON. Such a value counts as one of the
        // wrong type: the request is unidentified, and never fails with a 500.
        let read = |key: &str| {
            let json = entries.get(key)?;
            Some(serde_json::from_str(json).unwrap_or(Json::Bool(false)))
        };
        let (user, group) = (read(&self.user), read(&self.group));
        let key = match UserGroup::read(user.as_ref(), group.as_ref()) {
            Ok(stated) => return Some(stated.identity(self.source())),
            Err(UserGroupError::NoUser) => return None,
            Err(UserGroupError::User) => &self.user,
            Err(UserGroupError::Group) => &self.group,
        };
        UNREADABLE_SESSIONS.log(format_args!(
            "a session identifies nobody: its `{key}` is no text or whole number; name another key \
             with `Identifier::session_keys`"
        ));
        None
    }
}
