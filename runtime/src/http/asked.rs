//! Rules that apply to a request → what each asks for, as it is in force now.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{
    applied::{Applied, Census, Few},
    named::InForce,
    rule::Rule,
};
use crate::{
    error::RateLimitError,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Bound, Concurrency, Holder, Limit},
    statuses::Statuses,
    store::interface::Charge,
};

/// What a rule that applies asks for.
pub(super) struct Asked<'a, 'i> {
    pub(super) rule: &'a Rule,
    /// Whose counter it is.
    pub(super) identity: &'i Identity,
    pub(super) what: What<'a>,
    pub(super) cost: u32,
    pub(super) failure_mode: FailureMode,
    /// The statuses at which it is given back.
    pub(super) refund_on: Option<Cow<'a, Statuses>>,
}

/// What is to be charged.
pub(super) enum What<'a> {
    Rate(Cow<'a, Limit>),
    Place(Concurrency, Holder),
}

impl Asked<'_, '_> {
    /// The charge of it.
    pub(super) fn charge(&self) -> Charge<'_> {
        let (key, limit) = match &self.what {
            What::Rate(limit) => (
                Key::counter(self.identity, limit),
                Bound::Rate(limit.as_ref()),
            ),
            What::Place(limit, holder) => (
                Key::holders(self.identity, limit),
                Bound::Running(limit, *holder),
            ),
        };
        Charge {
            key,
            limit,
            cost: self.cost,
            failure_mode: self.failure_mode,
        }
    }

    /// Whether it can be decided without waiting, and holds nothing afterwards.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.what, What::Rate(_)) && self.rule.longest_wait().is_none()
    }
}

/// What these rules ask for. Unlimited ones ask for nothing.
///
/// # Errors
///
/// If one names a limit that nobody has.
pub(super) fn asked<'a, 'i>(
    census: &'i Census<'_>,
    applied: &[Applied<'a>],
) -> Result<Few<Asked<'a, 'i>>, RateLimitError> {
    let mut asked: Few<Asked<'a, 'i>> = SmallVec::new();
    // Looked up once a request, so that its limits are of one state.
    let mut in_force: Option<InForce<'_>> = None;
    for one in applied {
        let rule = one.rule;
        if let Some(places) = rule.places() {
            let mode = rule.own_failure_mode();
            asked.push(Asked {
                rule,
                identity: census.counted(one),
                what: What::Place(places, Holder::new()),
                cost: 1,
                failure_mode: mode.unwrap_or(census.manner.failure_mode()),
                refund_on: None,
            });
            continue;
        }
        let Some(named) = rule.named_limit() else {
            if let Some(written) = rule.written_limit() {
                let (mode, refund_on) = (rule.own_failure_mode(), rule.statuses());
                asked.push(ask(
                    census,
                    one,
                    Cow::Borrowed(written),
                    mode,
                    refund_on.map(Cow::Borrowed),
                ));
            }
            continue;
        };
        let in_force = in_force.get_or_insert_with(|| match census.is_of_message() {
            true => InForce::now(census.manner.limiter),
            false => InForce::of(census.manner.limiter, census.request),
        });
        let found = in_force.find(named, rule.written_limit().is_none());
        let written = match (found, rule.written_limit()) {
            (Some(found), _) => Cow::Owned(named.fill(found.limit)),
            (None, Some(written)) => Cow::Borrowed(written),
            (None, None) => {
                return Err(RateLimitError::UnknownLimit {
                    name: named.name.to_string(),
                });
            }
        };
        let mode = rule
            .own_failure_mode()
            .or(found.and_then(|found| found.failure_mode));
        let refund_on = match rule.statuses() {
            Some(statuses) => Some(Cow::Borrowed(statuses)),
            None => found
                .and_then(|found| found.refund_on.clone())
                .map(Cow::Owned),
        };
        asked.push(ask(census, one, written, mode, refund_on));
    }
    Ok(asked)
}

fn ask<'a, 'i>(
    census: &'i Census<'_>,
    one: &Applied<'a>,
    written: Cow<'a, Limit>,
    failure_mode: Option<FailureMode>,
    refund_on: Option<Cow<'a, Statuses>>,
) -> Asked<'a, 'i> {
    let (request, identity) = (census.request, census.identity(one));
    let (limit, cost) = one.rule.limit_for(written, request, identity);
    Asked {
        rule: one.rule,
        identity: census.counted(one),
        what: What::Rate(limit),
        cost,
        failure_mode: failure_mode.unwrap_or(census.manner.failure_mode()),
        refund_on,
    }
}
