//! The fast path: one rule whose limit applies as written, for an identity that can be read without
//! waiting. That is the most common request.
//!
//! The guard tries it first. It decides what [`evaluate`](super::evaluate::evaluate) would, without
//! the state for several limits, waits and refunds, which would take most of its time.

use actix_throttle_core::{
    check::{Charge, Charges, Check, Mode},
    identity::Identity,
    key::Key,
    limit::Limit,
};
use actix_web::HttpRequest;

use super::{context::RuleContext, evaluation::Evaluation, handler_rules::RuleSet, rule::Rule};
use crate::engine::{Miss, Tell, error::RateLimitError};

/// A request that the fast path can decide.
pub(super) struct SingleRule<'a> {
    context: RuleContext<'a>,
    rule: &'a Rule,
    limit: &'a Limit,
    identity: Identity,
}

impl<'a> SingleRule<'a> {
    /// Returns the request if the fast path can decide it; `None` if it needs a full evaluation.
    pub(super) fn of(
        context: RuleContext<'a>,
        rules: &'a RuleSet,
        request: &HttpRequest,
    ) -> Option<Self> {
        let (rule, limit) = rules.single()?;
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

    /// Decides the request without I/O.
    ///
    /// # Errors
    ///
    /// A [`Miss`] if the store needs I/O for it, which [`evaluate`](Self::evaluate) does.
    pub(super) fn try_evaluate(&self) -> Result<Evaluation<'a>, Miss> {
        let check = self.check();
        let engine = self.context.limiter.engine();
        let outcome = engine.try_decide(&check)?;
        let decision = engine.decided(&check, &outcome);
        Ok(Evaluation::of_single_rule(decision, self.rule))
    }

    /// Decides a request that [`try_evaluate`](Self::try_evaluate) could not.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while the store decides, a charge that was sent stays.
    pub(super) async fn evaluate(&self, miss: Miss) -> Result<Evaluation<'a>, RateLimitError> {
        let (engine, check) = (self.context.limiter.engine(), self.check());
        let decided = engine.decide(&check, miss).await;
        let (decision, _) = engine.to_decision(&check, decided, Tell::All)?;
        Ok(Evaluation::of_single_rule(decision, self.rule))
    }

    fn check(&self) -> Check<'_> {
        let own_failure_mode = self.rule.own_failure_mode();
        let charge = Charge {
            key: Key::counter(&self.identity, self.limit),
            limit: self.limit.into(),
            cost: self.limit.cost_value(),
            failure_mode: own_failure_mode.unwrap_or(self.context.failure_mode()),
        };
        Check {
            mode: Mode::Charge,
            charges: Charges::from_buf([charge]),
        }
    }
}
