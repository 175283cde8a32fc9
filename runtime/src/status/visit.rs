//! [`Visit`]: a request that may come in, and the responses that several views have.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{
    access::Access,
    data::{ErrorData, IdentityData},
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
        let snapshot = match standings {
            Ok(snapshot) => snapshot,
            Err(error) => return self.unavailable(&error),
        };
        let shown = match self.access {
            Access::Full => target.text.clone(),
            Access::ReadOnly | Access::Forbidden => Mask::default().hide(&target.text),
        };
        if self.query.is_json {
            json(
                StatusCode::OK,
                &IdentityData::of(&shown, self.limiter.enforcement(), &snapshot),
            )
        } else {
            page(
                StatusCode::OK,
                view::identity(&self.page(), target, &shown, &snapshot),
            )
        }
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
