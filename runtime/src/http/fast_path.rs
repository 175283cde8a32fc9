//! The commonest request: one limit as it is written, for a client that is known by a look at the
//! request.
//!
//! It does what [`judge`](super::evaluate::judge) does of all that applies, without the room that
//! several limits, waiting and giving back take: that room is what most of its time would go into.

use actix_web::HttpRequest;

use super::{context::RuleContext, evaluate::Evaluation, rule::Rule};
use crate::{
    error::RateLimitError,
    identity::Identity,
    key::Key,
    limit::Limit,
    store::interface::{Charge, Charges, Check, Mode},
};

/// What is known of a request by a look at it.
pub(super) struct SingleRule<'a> {
    context: RuleContext<'a>,
    rule: &'a Rule,
    limit: &'a Limit,
    identity: Identity,
}

impl<'a> SingleRule<'a> {
    /// `None` if it takes more than a look.
    pub(super) fn of(
        context: RuleContext<'a>,
        rules: &'a [Rule],
        request: &HttpRequest,
    ) -> Option<Self> {
        let [rule] = rules else { return None };
        let limit = rule.single_limit()?;
        let identifier = rule.own_identifier().unwrap_or(context.identifier());
        let identity = identifier.try_identify(request, &context.limiter.settings().clients)?;
        Some(Self {
            context,
            rule,
            limit,
            identity,
        })
    }

    pub(super) fn context(&self) -> RuleContext<'a> {
        self.context
    }

    /// `None` if a server has to decide.
    pub(super) fn try_evaluate(&self) -> Option<Result<Evaluation<'a>, RateLimitError>> {
        let decided = self.context.limiter.try_decide(&self.check())?;
        Some(decided.map(|(decision, _)| Evaluation::of_single_rule(decision, self.rule)))
    }

    /// The same for what could not be decided at once.
    pub(super) async fn evaluate_remotely(&self) -> Result<Evaluation<'a>, RateLimitError> {
        let check = self.check();
        let (decision, _) = self.context.limiter.decide_remotely(&check).await?;
        Ok(Evaluation::of_single_rule(decision, self.rule))
    }

    fn check(&self) -> Check<'_> {
        let own_failure_mode = self.rule.own_failure_mode();
        let charge = Charge {
            key: Key::counter(&self.identity, self.limit),
            limit: self.limit.into(),
            cost: self.limit.default_cost(),
            failure_mode: own_failure_mode.unwrap_or(self.context.failure_mode()),
        };
        Check {
            mode: Mode::Charge,
            charges: Charges::from_buf([charge]),
        }
    }
}
