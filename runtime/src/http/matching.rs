//! Rules + request → the rules that apply to it, and whom they count.

use actix_web::{HttpRequest, HttpResponse};
use smallvec::SmallVec;

use super::{context::RuleContext, rule::Rule};
use crate::{
    identity::{Identified, Identifier, Identity, Source},
    response::Unidentified,
};

/// Room for one of each rule stands in place, as most requests have one. They are pushed and not
/// collected, which is made for many.
pub(super) type Few<T> = SmallVec<[T; 1]>;

/// A rule that applies to a request, and whom it counts: see [`RuleMatcher::identity`].
pub(super) struct MatchedRule<'a> {
    pub(super) rule: &'a Rule,
    whom: usize,
}

/// Asks who sent a request: each identifier once, however many rules want to know.
pub(super) struct RuleMatcher<'a> {
    pub(super) context: RuleContext<'a>,
    pub(super) request: &'a HttpRequest,
    /// The context key, if it is about a message that came later, on the request's WebSocket.
    message: Option<&'a str>,
    asked: Few<(&'a Identifier, Lookup)>,
    identities: Few<Identity>,
    /// The same in the message's context, if it has one. Not `Few`: requests have none.
    in_context: Vec<Identity>,
}

/// What is known of the sender by one identifier.
enum Lookup {
    /// By the place among the identities.
    Found(usize),
    /// Limits that want to know do not apply.
    Skip,
    /// Whoever wants to know has this for an answer; `None` once it was given. Boxed: few have one.
    Reject(Option<Box<HttpResponse>>),
}

impl<'a> RuleMatcher<'a> {
    pub(super) fn new(context: RuleContext<'a>, request: &'a HttpRequest) -> Self {
        Self {
            context,
            request,
            message: None,
            asked: SmallVec::new(),
            identities: SmallVec::new(),
            in_context: Vec::new(),
        }
    }

    /// About a message on the request's WebSocket, counted apart by a context key unless that is empty.
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

    /// The rules that apply: not skipped, for someone who is known, for that one's group. `Err` is the
    /// answer of `on_unidentified`.
    pub(super) async fn matching(
        &mut self,
        rules: &'a [Rule],
    ) -> Result<Few<MatchedRule<'a>>, HttpResponse> {
        let mut matched: Few<MatchedRule<'a>> = SmallVec::new();
        for rule in rules {
            if rule.skips(self.request).await {
                continue;
            }
            match self.lookup(rule).await {
                Lookup::Found(whom) => matched.push(MatchedRule { rule, whom: *whom }),
                Lookup::Skip => {}
                Lookup::Reject(answer) => {
                    if let Some(answer) = answer.take() {
                        return Err(*answer);
                    }
                }
            }
        }
        self.keep_group(&mut matched);
        Ok(matched)
    }

    /// The same for rules that never deny: those who would be refused are not counted.
    pub(super) async fn matching_shadows(&mut self, rules: &'a [Rule]) -> Few<MatchedRule<'a>> {
        let mut matched: Few<MatchedRule<'a>> = SmallVec::new();
        for rule in rules {
            if rule.skips(self.request).await {
                continue;
            }
            if let Lookup::Found(whom) = self.lookup(rule).await {
                matched.push(MatchedRule { rule, whom: *whom });
            }
        }
        self.keep_group(&mut matched);
        matched
    }

    pub(super) fn identity(&self, one: &MatchedRule<'_>) -> &Identity {
        &self.identities[one.whom]
    }

    /// Whose counter it is: the identity in its context.
    pub(super) fn counter_identity(&self, one: &MatchedRule<'_>) -> &Identity {
        let in_context = self.in_context.get(one.whom);
        in_context.unwrap_or_else(|| self.identity(one))
    }

    /// Whether it is about a message, and not about the request itself.
    pub(super) fn is_of_message(&self) -> bool {
        self.message.is_some()
    }

    async fn lookup(&mut self, rule: &'a Rule) -> &mut Lookup {
        let identifier = rule.own_identifier().unwrap_or(self.context.identifier());
        let mut asked = self.asked.iter();
        let place = match asked.position(|(other, _)| other.is_same(identifier)) {
            Some(place) => place,
            None => {
                let whom = self.find(identifier).await;
                self.asked.push((identifier, whom));
                self.asked.len() - 1
            }
        };
        &mut self.asked[place].1
    }

    async fn find(&mut self, identifier: &Identifier) -> Lookup {
        let clients = &self.context.limiter.settings().clients;
        let source = match identifier.identify(self.request, clients) {
            Identified::Ready(Ok(identity)) => return self.count(identity),
            Identified::Ready(Err(source)) => source,
            Identified::Pending(future) => match future.await {
                Some(identity) => return self.count(identity),
                None => Source::Application,
            },
        };
        let unidentified = match self.context.on_unidentified() {
            // Boxed: few requests come this way, and all would have room for it.
            Some(function) => Box::pin(function.answer(self.request)).await,
            None => Unidentified::CountByIp,
        };
        match unidentified {
            Unidentified::CountByIp => {
                let network = clients.network(self.request);
                self.count(Identity::unidentified(source, network))
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

    /// Rules for a group apply to its identities alone, and then in place of those without a group.
    fn keep_group(&self, matched: &mut Few<MatchedRule<'_>>) {
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
