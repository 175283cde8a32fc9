//! Matching: the rules that apply to a request, and the identity that each of them counts.
//!
//! The guard, the middleware's selection and the WebSocket limiter call it. It runs `skip_if`,
//! identifiers and `on_unidentified`, and never charges anything.

use actix_throttle_core::identity::Identity;
use actix_web::{HttpRequest, HttpResponse};
use smallvec::SmallVec;

use super::{context::RuleContext, rule::Rule};
use crate::{
    engine::{Decided, Event},
    identity::{Identified, Identifier},
    response::Unidentified,
};

/// A rule that applies to a request, with the identity that it counts: see
/// [`RuleMatcher::identity`].
pub(super) struct MatchedRule<'a> {
    pub(super) rule: &'a Rule,
    identity_index: usize,
}

/// Matches rules to one request. It runs each identifier once a request, however many rules use it.
pub(super) struct RuleMatcher<'a> {
    pub(super) context: RuleContext<'a>,
    pub(super) request: &'a HttpRequest,
    /// The context key of a WebSocket message; `None` if the request itself is matched.
    message: Option<&'a str>,
    lookups: SmallVec<[(&'a Identifier, Lookup); 1]>,
    identities: SmallVec<[Identity; 1]>,
    /// The identities in the message's context, by the same indices as `identities`. The list is
    /// empty without a context key. A `Vec` and not a `SmallVec`, because HTTP requests never fill
    /// it.
    in_context: Vec<Identity>,
}

/// The result of one identifier for the request.
enum Lookup {
    /// The identity was found; this is its index in `RuleMatcher::identities`.
    Found(usize),
    /// `on_unidentified` chose to skip: rules with this identifier do not apply.
    Skip,
    /// `on_unidentified` returned a response. The first rule that needs the identity takes it out;
    /// later rules of the same request find `None`. It is boxed to keep the enum small.
    Reject(Option<Box<HttpResponse>>),
}

impl<'a> RuleMatcher<'a> {
    pub(super) fn new(context: RuleContext<'a>, request: &'a HttpRequest) -> Self {
        Self {
            context,
            request,
            message: None,
            lookups: SmallVec::new(),
            identities: SmallVec::new(),
            in_context: Vec::new(),
        }
    }

    /// Matches rules for a message on the request's WebSocket. A context key that is not empty
    /// gives the message counters of its own.
    #[cfg(feature = "websocket")]
    pub(super) fn of_message(
        context: RuleContext<'a>,
        request: &'a HttpRequest,
        context_key: &'a str,
    ) -> Self {
        Self {
            message: Some(context_key),
            ..Self::new(context, request)
        }
    }

    /// Returns the rules that apply: not skipped, with an identity, and for that identity's group.
    ///
    /// # Errors
    ///
    /// The response of `on_unidentified`, if it returned one for the identifier of a rule. None
    /// while limits are not enforced: a rule is then left out as a shadow is.
    pub(super) async fn matching(
        &mut self,
        rules: &'a [Rule],
    ) -> Result<SmallVec<[MatchedRule<'a>; 1]>, HttpResponse> {
        if self.context.is_shadow() {
            return Ok(Box::pin(self.matching_shadows(rules)).await);
        }
        let mut matched: SmallVec<[MatchedRule<'a>; 1]> = SmallVec::new();
        for rule in rules {
            if rule.skips(self.request).await {
                continue;
            }
            match self.lookup(rule).await {
                Lookup::Found(identity_index) => matched.push(MatchedRule {
                    rule,
                    identity_index: *identity_index,
                }),
                Lookup::Skip => {}
                Lookup::Reject(response) => {
                    if let Some(response) = response.take() {
                        self.tell_unidentified(rule);
                        return Err(*response);
                    }
                }
            }
        }
        self.keep_group(&mut matched);
        Ok(matched)
    }

    /// Returns the shadow rules that apply. A shadow never denies, so a request for which
    /// `on_unidentified` returned a response is left out instead of rejected.
    pub(super) async fn matching_shadows(
        &mut self,
        rules: &'a [Rule],
    ) -> SmallVec<[MatchedRule<'a>; 1]> {
        let mut matched: SmallVec<[MatchedRule<'a>; 1]> = SmallVec::new();
        for rule in rules {
            if rule.skips(self.request).await {
                continue;
            }
            if let Lookup::Found(identity_index) = self.lookup(rule).await {
                matched.push(MatchedRule {
                    rule,
                    identity_index: *identity_index,
                });
            }
        }
        self.keep_group(&mut matched);
        matched
    }

    pub(super) fn identity(&self, one: &MatchedRule<'_>) -> &Identity {
        &self.identities[one.identity_index]
    }

    /// The identity whose counter is charged: in the message's context, if there is one.
    pub(super) fn counter_identity(&self, one: &MatchedRule<'_>) -> &Identity {
        let in_context = self.in_context.get(one.identity_index);
        in_context.unwrap_or_else(|| self.identity(one))
    }

    /// Whether this matches a WebSocket message and not the request itself.
    pub(super) fn is_of_message(&self) -> bool {
        self.message.is_some()
    }

    fn tell_unidentified(&self, rule: &Rule) {
        if let Some(policy) = rule.policy() {
            let observers = self.context.limiter.engine().observers();
            observers.tell(|| Event::Decided(Decided::unidentified(policy)));
        }
    }

    async fn lookup(&mut self, rule: &'a Rule) -> &mut Lookup {
        let identifier = rule.own_identifier().unwrap_or(self.context.identifier());
        let mut lookups = self.lookups.iter();
        let index = match lookups.position(|(other, _)| other.is_same(identifier)) {
            Some(index) => index,
            None => {
                let identity_index = self.find(identifier).await;
                self.lookups.push((identifier, identity_index));
                self.lookups.len() - 1
            }
        };
        &mut self.lookups[index].1
    }

    async fn find(&mut self, identifier: &Identifier) -> Lookup {
        let clients = &self.context.limiter.settings().clients;
        let identity = match identifier.identify(self.request, clients) {
            Identified::Ready(identity) => identity,
            Identified::Pending(future) => future.await,
        };
        if let Some(identity) = identity {
            return self.count(identity);
        }
        let unidentified = match self.context.on_unidentified() {
            // The future is boxed to keep this one small, because few requests are unidentified.
            Some(function) => Box::pin(function.respond(self.request)).await,
            None => Unidentified::CountByIp,
        };
        match unidentified {
            Unidentified::CountByIp => {
                let network = clients.network(self.request);
                self.count(Identity::unidentified(identifier.source(), network))
            }
            Unidentified::Skip => Lookup::Skip,
            Unidentified::Respond(response) => Lookup::Reject(Some(Box::new(response))),
        }
    }

    fn count(&mut self, identity: Identity) -> Lookup {
        if let Some(key) = self.message.filter(|key| !key.is_empty()) {
            self.in_context.push(identity.clone().context(key));
        }
        self.identities.push(identity);
        Lookup::Found(self.identities.len() - 1)
    }

    /// Applies groups: if a rule is for the identity's group, only such rules stay; otherwise only
    /// the rules without a group do.
    fn keep_group(&self, matched: &mut SmallVec<[MatchedRule<'_>; 1]>) {
        if matched.iter().all(|one| one.rule.group_name().is_none()) {
            return;
        }
        let fits = |one: &MatchedRule<'_>| {
            let group = one.rule.group_name();
            group.is_some() && group == self.identity(one).group_name()
        };
        let grouped = matched.iter().any(fits);
        matched.retain(|one| {
            if grouped {
                fits(one)
            } else {
                one.rule.group_name().is_none()
            }
        });
    }
}
