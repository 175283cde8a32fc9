//! The reset of a policy for every identity: asked for, confirmed, made, and logged with who made
//! it.

use actix_throttle_core::{enforcement::Enforcement, limit::Limit};
use actix_web::{HttpResponse, http::StatusCode, rt};

use super::{
    data::PolicyResetData,
    form::Form,
    query::Done,
    response::{json, page, see},
    view,
    visit::Visit,
};
use crate::engine::{ResetReport, error::RateLimitError, log_throttle::TARGET};

/// Asks a person to confirm the reset; nothing has changed yet.
pub(super) fn confirm_reset(visit: &Visit<'_>, policy: &str) -> HttpResponse {
    match prepare(visit, policy) {
        Ok(_) if visit.query.is_json => visit.not_confirmed(),
        Ok((policy, limits)) => page(
            StatusCode::OK,
            view::confirm_reset(&visit.page(), policy, &limits),
        ),
        Err(response) => *response,
    }
}

/// Resets a policy once a person has confirmed it, else asks for that.
pub(super) async fn reset_policy(visit: &Visit<'_>, form: &Form, policy: &str) -> HttpResponse {
    if form.confirmed != "yes" {
        return confirm_reset(visit, policy);
    }
    let (policy, limits) = match prepare(visit, policy) {
        Ok(prepared) => prepared,
        Err(response) => return *response,
    };
    let reset = visit.limiter.engine().reset_policy(policy, &limits);
    let author = visit.author();
    // The task goes on if the browser leaves: the reset would be cut off, and nobody would read of
    // it in the log.
    let reset = rt::spawn(async move {
        let report = reset.await;
        log_reset(&author, policy, &report);
        report
    });
    let report = match reset.await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => return visit.unavailable(&error),
        Err(error) => return visit.unavailable(&error),
    };
    let (deleted, is_complete) = (report.deleted(), report.is_complete());
    let done = if is_complete {
        Done::Reset
    } else {
        Done::PartlyReset
    };
    if visit.query.is_json {
        let data = PolicyResetData {
            change: done.as_str(),
            policy,
            deleted,
            looked_at: report.looked_at(),
            is_complete,
        };
        return json(StatusCode::OK, &data);
    }
    let address = view::policy_address(policy);
    see(&format!("{address}&done={}", done.as_str()))
}

fn log_reset(author: &str, policy: &str, report: &Result<ResetReport, RateLimitError>) {
    match report {
        Ok(report) => {
            let deleted = report.deleted();
            let rest = if report.is_complete() {
                ""
            } else {
                "; some may be left"
            };
            log::info!(
                target: TARGET,
                "status page: {author} has reset every identity under [{policy:?}]: {deleted} \
                 counters and blocks deleted{rest}"
            );
        }
        Err(error) => log::warn!(
            target: TARGET,
            "status page: {author} may have reset every identity under [{policy:?}]: {error}"
        ),
    }
}

/// Finds what is to be reset.
///
/// # Errors
///
/// The response, if the visitor may not change anything, or if there is nothing to reset.
fn prepare(
    visit: &Visit<'_>,
    policy: &str,
) -> Result<(&'static str, Vec<Limit>), Box<HttpResponse>> {
    if !visit.may_change() {
        return Err(Box::new(visit.may_only_look()));
    }
    if visit.limiter.enforcement() == Enforcement::Off {
        return Err(Box::new(visit.is_off()));
    }
    let found = visit.limiter.engine().rates_of_policy(policy);
    let (policy, limits) = found.ok_or_else(|| Box::new(visit.no_policy()))?;
    if limits.is_empty() {
        let error = "This policy has no counters: running work holds its permits.";
        Err(Box::new(visit.fail(StatusCode::BAD_REQUEST, error)))
    } else {
        Ok((policy, limits))
    }
}
