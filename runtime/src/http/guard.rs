//! Rules + request → decision + answer: the one way in for all callers.

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse};
use smallvec::SmallVec;

use super::{
    error::RequestError,
    pending::{Pending, Refunds},
    rule::Rule,
    shown::remember,
};
use crate::{
    answer::{self, OnLimited, Unidentified},
    decision::Decision,
    error::RateLimitError,
    identity::{Found, Identifier, Identity, Source},
    key::Key,
    limit::Limit,
    limiter::{Owed, RateLimiter},
    log_throttle::LogThrottle,
    store::interface::{Charge, Charges, Check, Mode},
};

/// What a request may do.
pub(super) enum Passage {
    /// Go on; and what is then to be settled with the status of its response.
    Open(Pending),
    /// Take this answer.
    Shut(HttpResponse),
}

static MISTAKES: LogThrottle = LogThrottle::new(log::Level::Error);
static SHARED_COUNTERS: LogThrottle = LogThrottle::new(log::Level::Warn);

impl RateLimiter {
    /// Decides rules for a request as the attribute does: skips, identities, groups, costs, all
    /// limits at once. `None` if no rule applies to it.
    ///
    /// What it charges stays charged: there is no response whose status a rule's
    /// [`refund_on`](Rule::refund_on) could look at.
    ///
    /// # Errors
    ///
    /// [`RequestError::Unidentified`] with the answer that `on_unidentified` made, or
    /// [`RequestError::Undecided`] if a rule's limit is invalid, or the store could not decide and
    /// the [`FailureMode`](crate::FailureMode) of a rule is `Closed`.
    pub async fn check_request(
        &self,
        request: &HttpRequest,
        rules: &[Rule],
    ) -> Result<Option<Decision>, RequestError> {
        Ok(judge(self, rules, request)
            .await?
            .map(|judged| judged.decision))
    }
}

/// Decides whether a request may go on. See [`Pending`] for what is left to do then.
pub(super) async fn guard(limiter: &RateLimiter, rules: &[Rule], request: &HttpRequest) -> Passage {
    let Judged {
        decision,
        own_answer,
        refunds,
    } = match judge(limiter, rules, request).await {
        Ok(Some(judged)) => judged,
        Ok(None) => return Passage::Open(Pending::NONE),
        Err(RequestError::Unidentified(response)) => return Passage::Shut(response),
        Err(RequestError::Undecided(RateLimitError::Unavailable { retry_after, .. })) => {
            return Passage::Shut(answer::unavailable(retry_after));
        }
        Err(RequestError::Undecided(error)) => {
            // The last thing to take a service down must not be what protects it.
            MISTAKES.log(format_args!("a request goes on without its limit: {error}"));
            return Passage::Open(Pending::NONE);
        }
    };
    if decision.is_allowed() {
        let position = remember(limiter, request, decision);
        return Passage::Open(Pending::new(position, refunds));
    }
    let mut response = match own_answer.or(limiter.settings().on_limited.as_ref()) {
        Some(answer) => answer.answer(request, &decision).await,
        None => answer::quota_exceeded(&decision),
    };
    answer::retry_after(response.headers_mut(), decision.retry_after());
    remember(limiter, request, decision);
    Passage::Shut(response)
}

/// A rule that applies to a request, and whom it counts.
struct Applied<'a> {
    rule: &'a Rule,
    identity: Identity,
}

/// What such a rule asks for.
struct Asked<'a> {
    limit: Cow<'a, Limit>,
    cost: u32,
}

/// Room for one of each rule stands in place, as most requests have one. They are pushed and not
/// collected, which is made for many.
type Few<T> = SmallVec<[T; 1]>;

/// What was decided for a request.
struct Judged<'a> {
    decision: Decision,
    /// To a denial, if the rule that denies has one.
    own_answer: Option<&'a OnLimited>,
    refunds: Option<Box<Refunds>>,
}

async fn judge<'a>(
    limiter: &RateLimiter,
    rules: &'a [Rule],
    request: &HttpRequest,
) -> Result<Option<Judged<'a>>, RequestError> {
    let mut applied = identify(limiter, rules, request).await?;
    keep_group(&mut applied);

    let mut asked: Few<(&Applied<'_>, Asked<'_>)> = SmallVec::new();
    for one in &applied {
        if let Some((limit, cost)) = one.rule.limit_for(request, &one.identity) {
            asked.push((one, Asked { limit, cost }));
        }
    }
    let mut charges = Charges::new();
    // The rule of each charge.
    let mut charged: Few<&Rule> = SmallVec::new();
    for (Applied { rule, identity }, Asked { limit, cost }) in &asked {
        let charge = Charge {
            key: Key::counter(identity, limit),
            limit,
            cost: *cost,
            failure_mode: rule
                .own_failure_mode()
                .unwrap_or(limiter.settings().failure_mode),
        };
        add(&mut charges, &mut charged, charge, rule);
    }
    if charges.is_empty() {
        return Ok(None);
    }
    let mode = match charged.iter().any(|rule| rule.statuses().is_some()) {
        true => Mode::ChargeForReceipts,
        false => Mode::Charge,
    };
    let check = Check { mode, charges };
    let decided = limiter.decide_for_receipts(&check).await;
    let (decision, slips) = decided.map_err(RequestError::Undecided)?;
    let mut judged = Judged {
        decision,
        own_answer: None,
        refunds: None,
    };
    if !judged.decision.is_allowed() {
        let denied_by = judged.decision.strictest();
        let rule = denied_by.and_then(|status| charged.get(status.place()));
        judged.own_answer = rule.and_then(|rule| rule.own_answer());
    } else if mode == Mode::ChargeForReceipts {
        let statuses = charged.iter().map(|rule| rule.statuses().cloned());
        let refunds = Refunds::new(Owed::of(&check, &slips), statuses.collect());
        judged.refunds = Some(Box::new(refunds));
    }
    Ok(Some(judged))
}

/// Whom each rule that is not skipped counts. An identifier is asked once a request.
async fn identify<'a>(
    limiter: &RateLimiter,
    rules: &'a [Rule],
    request: &HttpRequest,
) -> Result<Few<Applied<'a>>, RequestError> {
    let settings = limiter.settings();
    let mut applied: Few<Applied<'a>> = SmallVec::new();
    // Each with whom it found, by the place in `applied`.
    let mut known: Few<(&Identifier, Option<usize>)> = SmallVec::new();
    for rule in rules.iter().filter(|rule| !rule.skips(request)) {
        let identifier = rule.own_identifier().unwrap_or(&settings.identifier);
        let before = known.iter().find(|(other, _)| other.is_same(identifier));
        let identity = match before {
            Some((_, place)) => place.map(|place| applied[place].identity.clone()),
            None => {
                let found = match identifier.identify(request, &settings.clients) {
                    Found::Now(found) => found,
                    Found::Later(future) => future.await.ok_or(Source::User),
                };
                let identity = counted(limiter, found, request)?;
                known.push((identifier, identity.is_some().then_some(applied.len())));
                identity
            }
        };
        if let Some(identity) = identity {
            applied.push(Applied { rule, identity });
        }
    }
    Ok(applied)
}

/// Who is counted; `None` if limits that want to know do not apply to the request.
#[allow(
    clippy::result_large_err,
    reason = "made once a request at most, and only passed on"
)]
fn counted(
    limiter: &RateLimiter,
    found: Result<Identity, Source>,
    request: &HttpRequest,
) -> Result<Option<Identity>, RequestError> {
    let settings = limiter.settings();
    let source = match found {
        Ok(identity) => return Ok(Some(identity)),
        Err(source) => source,
    };
    let what = settings
        .on_unidentified
        .as_ref()
        .map_or(Unidentified::CountByIp, |function| function.answer(request));
    match what {
        Unidentified::CountByIp => {
            let network = settings.clients.network(request);
            Ok(Some(Identity::unidentified(source, network)))
        }
        Unidentified::Skip => Ok(None),
        Unidentified::Respond(response) => Err(RequestError::Unidentified(response)),
    }
}

/// Rules for a group apply to its identities alone, and then in place of those without a group.
fn keep_group(applied: &mut Few<Applied<'_>>) {
    if applied.iter().all(|one| one.rule.group_name().is_none()) {
        return;
    }
    let fits = |one: &Applied<'_>| {
        one.rule.group_name().is_some() && one.rule.group_name() == one.identity.group_name()
    };
    let grouped = applied.iter().any(fits);
    applied.retain(|one| {
        if grouped {
            fits(one)
        } else {
            one.rule.group_name().is_none()
        }
    });
}

/// Adds a charge. Two of one counter can only meet where identifiers of the application name the
/// same identity in one zone; a counter is charged once, by the limit that fits fewer such requests.
fn add<'a, 'r>(
    charges: &mut Charges<'a>,
    rules: &mut Few<&'r Rule>,
    charge: Charge<'a>,
    rule: &'r Rule,
) {
    let Some(same) = charges
        .iter()
        .position(|other| other.key.is_same(&charge.key))
    else {
        charges.push(charge);
        rules.push(rule);
        return;
    };
    let name = |charge: &Charge<'_>| {
        charge
            .limit
            .policy_name()
            .unwrap_or(charge.limit.zone_name())
    };
    SHARED_COUNTERS.log(format_args!(
        "the limits \"{}\" and \"{}\" count the same identity in one counter; only the one \
         that fits fewer such requests applies. Give one of them a `zone` of its own to count them apart",
        name(&charges[same]),
        name(&charge)
    ));
    // How many such requests fit: a / b < c / d, without dividing.
    let (one, other) = (&charge, &charges[same]);
    let fit =
        |limit: &Charge<'_>, of: &Charge<'_>| u64::from(limit.limit.quota()) * u64::from(of.cost);
    if (fit(one, other), one.limit.times()) < (fit(other, one), other.limit.times()) {
        charges[same] = charge;
        rules[same] = rule;
    }
}
