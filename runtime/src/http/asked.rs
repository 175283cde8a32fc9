//! Rules that apply to a request → what each asks for, as it is in force now.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{
    applied::{Applied, Census, Few},
    named::InForce,
    rule::Rule,
};
use crate::{
    error::RateLimitError, failure_mode::FailureMode, identity::Identity, limit::Limit,
    statuses::Statuses,
};

/// What a rule that applies asks for.
pub(super) struct Asked<'a, 'i> {
    pub(super) rule: &'a Rule,
    pub(super) identity: &'i Identity,
    pub(super) limit: Cow<'a, Limit>,
    pub(super) cost: u32,
    pub(super) failure_mode: FailureMode,
    /// The statuses at which it is given back.
    pub(super) refund_on: Option<Cow<'a, Statuses>>,
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
        let in_force =
            in_force.get_or_insert_with(|| InForce::of(census.manner.limiter, census.request));
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
    let identity = census.identity(one);
    let (limit, cost) = one.rule.limit_for(written, census.request, identity);
    Asked {
        rule: one.rule,
        identity,
        limit,
        cost,
        failure_mode: failure_mode.unwrap_or(census.manner.failure_mode()),
        refund_on,
    }
}
