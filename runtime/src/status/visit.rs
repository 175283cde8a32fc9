//! [`Visit`]: a request that may come in, and the responses that several views have.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{
    access::Access,
    data::{ErrorData, IdentityData, LookUpData, StandingData},
    query::Query,
    response::{json, page},
    target::Target,
    view::{self, Page},
};
use crate::{
    engine::{Mask, Snapshot},
    limiter::RateLimiter,
};

/// A request that may come in.
pub(super) struct Visit<'a> {
    pub(super) request: &'a HttpRequest,
    pub(super) limiter: &'a RateLimiter,
    pub(super) access: Access,
    pub(super) query: &'a Query,
}

impl Visit<'_> {
    /// Responds with how an identity stands.
    pub(super) async fn identity(&self, target: &Target) -> HttpResponse {
        let standings = self
            .limiter
            .engine()
            .standings(target.identity.clone())
            .await;
        let mut snapshot = match standings {
            Ok(snapshot) => snapshot,
            Err(error) => return self.unavailable(&error),
        };
        let look_up = match self.limiter.engine().look_up(&mut snapshot).await {
            Ok(look_up) => look_up,
            Err(error) => return self.unavailable(&error),
        };
        let now = self.limiter.engine().clock().now();
        let shown = match self.access {
            Access::Full => target.text.clone(),
            Access::ReadOnly | Access::Forbidden => Mask::default().hide(&target.text),
        };
        if self.query.is_json {
            json(
                StatusCode::OK,
                &IdentityData {
                    identity: &shown,
                    enforcement: self.limiter.enforcement().as_str(),
                    limits: snapshot
                        .standings
                        .iter()
                        .map(|one| StandingData::of(one, now))
                        .collect(),
                    limits_left_out: snapshot.left_out,
                    look_up: LookUpData::of(&look_up, now),
                },
            )
        } else {
            page(
                StatusCode::OK,
                view::identity(&self.page(), target, &shown, (&snapshot, &look_up), now),
            )
        }
    }

    /// Returns whether the request may change anything.
    pub(super) fn may_change(&self) -> bool {
        self.access == Access::Full
    }

    pub(super) fn may_only_look(&self) -> HttpResponse {
        let error = "You may look, but not change anything.";
        self.fail(StatusCode::FORBIDDEN, error)
    }

    /// Responds to a program, which cannot be asked to confirm a change.
    pub(super) fn not_confirmed(&self) -> HttpResponse {
        let error = "Nothing has changed: send `confirmed=yes` with the form.";
        self.fail(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn is_off(&self) -> HttpResponse {
        let error = "Enforcement is off: the store is not asked, so nothing can be changed.";
        self.fail(StatusCode::CONFLICT, error)
    }

    pub(super) fn no_policy(&self) -> HttpResponse {
        let error = "No policy of this name has decided anything in this process.";
        self.fail(StatusCode::NOT_FOUND, error)
    }

    /// Returns the address that a change comes from.
    pub(super) fn author(&self) -> String {
        let by = RateLimiter::client_address(self.limiter, self.request);
        by.map_or("a client without an address".to_owned(), |by| {
            by.to_string()
        })
    }

    /// Responds that the store could not do it.
    pub(super) fn unavailable(&self, error: &impl std::fmt::Display) -> HttpResponse {
        let error = format!("The store could not say: {error}.");
        self.fail(StatusCode::SERVICE_UNAVAILABLE, &error)
    }

    pub(super) fn fail(&self, status: StatusCode, error: &str) -> HttpResponse {
        if self.query.is_json {
            json(status, &ErrorData { error })
        } else {
            page(status, view::message(&self.page(), error))
        }
    }

    pub(super) fn page(&self) -> Page<'_> {
        Page {
            query: self.query,
            own_query: self.request.query_string(),
            access: self.access,
            enforcement: self.limiter.enforcement(),
        }
    }

    pub(super) fn not_found(&self, written: &str, error: &str) -> HttpResponse {
        let status = StatusCode::NOT_FOUND;
        if self.query.is_json {
            json(status, &ErrorData { error })
        } else {
            page(status, view::find(&self.page(), written, Some(error)))
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let snapshot = self.limiter.snapshot();
        match self.access {
            Access::Full => snapshot,
            Access::ReadOnly | Access::Forbidden => snapshot.masked(),
        }
    }
}
