//! Changes by hand: asked for, confirmed, made, and logged with who made them.

use actix_throttle_core::{
    enforcement::Enforcement, identity::Identity, key::Key, limit::AnyLimit,
};
use actix_web::{HttpResponse, http::StatusCode};
use humantime::format_duration;

use super::{
    data::ChangeData,
    form::Form,
    query::Done,
    response::{json, page, see},
    target::Target,
    view::{self, Confirmation},
    visit::Visit,
};
use crate::engine::{
    Change, Engine, IdentitySnapshot, error::RateLimitError, log_throttle::TARGET,
};

/// Asks a person to confirm a change; nothing has changed yet.
pub(super) async fn confirm(visit: &Visit<'_>, form: &Form, target: &Target) -> HttpResponse {
    let (wanted, snapshot, limits) = match prepare(visit, form, target).await {
        Ok(prepared) => prepared,
        Err(response) => return response,
    };
    if visit.query.is_json {
        return visit.not_confirmed();
    }
    let confirmation = Confirmation {
        form,
        wanted,
        target,
        limits: &limits,
    };
    page(
        StatusCode::OK,
        view::confirm(&visit.page(), &confirmation, &snapshot),
    )
}

/// Makes a change that a person has confirmed.
pub(super) async fn change(visit: &Visit<'_>, form: &Form, target: &Target) -> HttpResponse {
    let (wanted, _, limits) = match prepare(visit, form, target).await {
        Ok(prepared) => prepared,
        Err(response) => return response,
    };
    let mut policies: Vec<&'static str> = Vec::new();
    for (done, limit) in limits.iter().enumerate() {
        if let Err(error) = make(visit.limiter.engine(), wanted, limit, &target.identity).await {
            log(visit, wanted, target, &policies);
            log_failure(visit, wanted, target, limit.name(), &error);
            let error = format!(
                "The store has made {done} of {} changes: {error}.",
                limits.len()
            );
            return visit.fail(StatusCode::SERVICE_UNAVAILABLE, &error);
        }
        if !policies.contains(&limit.name()) {
            policies.push(limit.name());
        }
    }
    log(visit, wanted, target, &policies);
    let done = Done::of(wanted).as_str();
    if visit.query.is_json {
        let data = ChangeData {
            change: done,
            identity: &target.text,
            policies: &policies,
        };
        return json(StatusCode::OK, &data);
    }
    if target.has_address() {
        see(&format!(
            "{}&done={done}",
            view::identity_address(&target.text)
        ))
    } else {
        visit.identity(target).await
    }
}

/// Finds what a change is to be made of.
///
/// # Errors
///
/// The response, if the form is wrong, no limit fits or the store cannot say.
async fn prepare(
    visit: &Visit<'_>,
    form: &Form,
    target: &Target,
) -> Result<(Change, IdentitySnapshot, Vec<AnyLimit>), HttpResponse> {
    let wrong = |error: &str| visit.fail(StatusCode::BAD_REQUEST, error);
    let wanted = form.wanted().map_err(|error| wrong(&error))?;
    if visit.limiter.enforcement() == Enforcement::Off {
        return Err(visit.is_off());
    }
    let snapshot = visit
        .limiter
        .engine()
        .standings(target.identity.clone())
        .await;
    let snapshot = snapshot.map_err(|error| visit.unavailable(&error))?;
    let standings = snapshot.standings.iter();
    let limits = standings
        .filter(|one| form.policy.is_empty() || one.policy == form.policy)
        .map(|one| one.limit.limit)
        .filter(|limit| wanted == Change::Reset || matches!(limit, AnyLimit::Rate(_)));
    let limits = with_own_counters(&target.identity, limits);
    if limits.is_empty() {
        return Err(wrong("No limit of this policy counts such an identity."));
    }
    if let Change::Block(length) = wanted
        && let Some(AnyLimit::Rate(limit)) = limits.first()
        && let Err(error) = limit.block(length).validate()
    {
        return Err(wrong(&format!("The block cannot be set: {error}.")));
    }
    Ok((wanted, snapshot, limits))
}

/// Returns one limit for each counter of a policy. Several may share one, such as a limit before a
/// reload and after it: a change is made, told and logged once for all of them.
fn with_own_counters(identity: &Identity, limits: impl Iterator<Item = AnyLimit>) -> Vec<AnyLimit> {
    let mut kept: Vec<AnyLimit> = Vec::new();
    for limit in limits {
        let is_same = |other: &AnyLimit| {
            other.name() == limit.name() && key(identity, other).is_same(&key(identity, &limit))
        };
        match kept.iter_mut().find(|other| is_same(other)) {
            // The latest is in force.
            Some(other) => *other = limit,
            None => kept.push(limit),
        }
    }
    kept
}

fn key<'a>(identity: &'a Identity, limit: &'a AnyLimit) -> Key<'a> {
    match limit {
        AnyLimit::Rate(limit) => Key::counter(identity, limit),
        AnyLimit::Concurrency(limit) => Key::permits(identity, limit),
    }
}

/// Makes a change of one limit. The observers hear of it.
async fn make(
    engine: &Engine,
    wanted: Change,
    limit: &AnyLimit,
    identity: &Identity,
) -> Result<(), RateLimitError> {
    match (wanted, limit) {
        (Change::Reset, AnyLimit::Rate(limit)) => engine.reset(limit, identity).await,
        (Change::Reset, AnyLimit::Concurrency(limit)) => {
            engine.reset_permits(limit, identity).await
        }
        (Change::Block(length), AnyLimit::Rate(limit)) => {
            engine.block(limit, identity, length).await
        }
        (Change::Unblock, AnyLimit::Rate(limit)) => engine.unblock(limit, identity).await,
        // Only rates have blocks.
        (Change::Block(_) | Change::Unblock, AnyLimit::Concurrency(_)) => Ok(()),
    }
}

/// Logs a change, and the address that it came from.
fn log(visit: &Visit<'_>, wanted: Change, target: &Target, policies: &[&'static str]) {
    if policies.is_empty() {
        return;
    }
    log::info!(
        target: TARGET,
        "status page: {} has {} {} under {policies:?}",
        visit.author(),
        done(wanted),
        target.text
    );
}

/// Logs a change that the store has not confirmed; it may have made it nevertheless.
fn log_failure(
    visit: &Visit<'_>,
    wanted: Change,
    target: &Target,
    policy: &str,
    error: &RateLimitError,
) {
    log::warn!(
        target: TARGET,
        "status page: {} may have {} {} under [{policy:?}]: {error}",
        visit.author(),
        done(wanted),
        target.text
    );
}

fn done(wanted: Change) -> String {
    match wanted {
        Change::Reset => "reset".to_owned(),
        Change::Block(length) => format!("blocked for {}", format_duration(length)),
        Change::Unblock => "unblocked".to_owned(),
    }
}
