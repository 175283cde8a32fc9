//! Rules that apply to a request → what each asks for, as it is in force now.

use std::{borrow::Cow, time::Duration};

use smallvec::SmallVec;

use super::{
    applied::{Applied, Census, Few},
    named::InForce,
    rule::{InUse, Resolved, Rule},
};
use crate::{
    error::RateLimitError,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Bound, Concurrency, Holder, Policy},
    limiter,
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
    /// How long it may be waited for; `None`: not at all.
    pub(super) max_wait: Option<Duration>,
}

/// What is to be charged.
pub(super) enum What<'a> {
    Rate(InUse<'a>),
    Place(Box<(Concurrency, Holder)>),
}

impl Asked<'_, '_> {
    /// The charge of it.
    pub(super) fn charge(&self) -> Charge<'_> {
        let (key, limit) = match &self.what {
            What::Rate(limit) => (Key::counter(self.identity, limit), Bound::Rate(limit)),
            What::Place(place) => {
                let (limit, holder) = &**place;
                let bound = Bound::Running(limit, *holder);
                (Key::holders(self.identity, limit), bound)
            }
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
        matches!(self.what, What::Rate(_)) && self.max_wait.is_none()
    }
}

/// What is said of a limit beside its numbers: by the rule, else by the configuration.
struct Around<'a> {
    failure_mode: Option<FailureMode>,
    refund_on: Option<Cow<'a, Statuses>>,
    max_wait: Option<Duration>,
}

/// Asks the async functions of these rules, each rule's at its place. Empty if none has any, which is
/// for the caller to find out: then there is nothing to wait for.
pub(super) async fn resolve(census: &Census<'_>, applied: &[Applied<'_>]) -> Vec<Resolved> {
    let mut resolved = Vec::with_capacity(applied.len());
    for one in applied {
        let identity = census.identity(one);
        resolved.push(one.rule.resolve(census.request, identity).await);
    }
    resolved
}

/// What these rules ask for. Unlimited ones ask for nothing.
///
/// `resolved` is what [`resolve`] has found, empty if no rule has an async function.
///
/// # Errors
///
/// If one names a limit that nobody has.
pub(super) fn asked<'a, 'i>(
    census: &'i Census<'_>,
    applied: &[Applied<'a>],
    resolved: &[Resolved],
) -> Result<Few<Asked<'a, 'i>>, RateLimitError> {
    let mut asked: Few<Asked<'a, 'i>> = SmallVec::new();
    // Looked up once a request, so that its limits are of one state.
    let mut in_force: Option<InForce<'_>> = None;
    for (place, one) in applied.iter().enumerate() {
        let rule = one.rule;
        let resolved = resolved.get(place);
        let around = Around::of(rule);
        if let Some(places) = rule.places() {
            asked.push(self::place(census, one, places, around));
            continue;
        }
        let Some(named) = rule.named_limit() else {
            if let Some(written) = rule.written_limit() {
                let written = InUse::Written(written);
                if let Some(rate) = rate(census, one, written, resolved, around) {
                    asked.push(rate);
                }
            }
            continue;
        };
        let in_force = in_force.get_or_insert_with(|| match census.is_of_message() {
            true => InForce::now(census.manner.limiter),
            false => InForce::of(census.manner.limiter, census.request),
        });
        let found = in_force.find(named, rule.written_limit().is_none());
        let Some(found) = found else {
            let Some(written) = rule.written_limit() else {
                return Err(RateLimitError::UnknownLimit {
                    name: named.name.to_string(),
                });
            };
            let written = InUse::Written(written);
            if let Some(rate) = rate(census, one, written, resolved, around) {
                asked.push(rate);
            }
            continue;
        };
        let around = around.or(&found.around);
        match named.fill(found.policy) {
            Policy::Rate(limit) => {
                if let Some(rate) = rate(census, one, limit.into(), resolved, around) {
                    asked.push(rate);
                }
            }
            Policy::Running(places) => {
                asked.push(self::place(census, one, rule.places_for(places), around));
            }
        }
    }
    Ok(asked)
}

/// `None` if the rule's `dynamic` function says that the request is not limited.
fn rate<'a, 'i>(
    census: &'i Census<'_>,
    one: &Applied<'a>,
    written: InUse<'a>,
    resolved: Option<&Resolved>,
    around: Around<'a>,
) -> Option<Asked<'a, 'i>> {
    let (request, identity) = (census.request, census.identity(one));
    let (limit, cost) = one.rule.limit_for(written, request, identity, resolved)?;
    Some(ask(census, one, What::Rate(limit), cost, around))
}

/// It has no cost, and nothing of it is given back by a status.
fn place<'a, 'i>(
    census: &'i Census<'_>,
    one: &Applied<'a>,
    places: Concurrency,
    around: Around<'a>,
) -> Asked<'a, 'i> {
    let around = Around {
        refund_on: None,
        ..around
    };
    ask(
        census,
        one,
        What::Place(Box::new((places, Holder::new()))),
        1,
        around,
    )
}

fn ask<'a, 'i>(
    census: &'i Census<'_>,
    one: &Applied<'a>,
    what: What<'a>,
    cost: u32,
    around: Around<'a>,
) -> Asked<'a, 'i> {
    let Around {
        failure_mode,
        refund_on,
        max_wait,
    } = around;
    Asked {
        rule: one.rule,
        identity: census.counted(one),
        what,
        cost,
        failure_mode: failure_mode.unwrap_or(census.manner.failure_mode()),
        refund_on,
        max_wait,
    }
}

impl<'a> Around<'a> {
    fn of(rule: &'a Rule) -> Self {
        Self {
            failure_mode: rule.own_failure_mode(),
            refund_on: rule.statuses().map(Cow::Borrowed),
            max_wait: rule.longest_wait(),
        }
    }

    /// The same, and what it leaves open as the configuration says.
    fn or(self, found: &limiter::Around) -> Self {
        let refund_on = || found.refund_on.clone().map(Cow::Owned);
        Self {
            failure_mode: self.failure_mode.or(found.failure_mode),
            refund_on: self.refund_on.or_else(refund_on),
            max_wait: self.max_wait.or(found.max_wait),
        }
    }
}
