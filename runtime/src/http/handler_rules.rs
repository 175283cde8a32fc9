//! The rules of one handler, created and classified at its first request. Macro output keeps them
//! in a static.

use std::{
    any::{TypeId, type_name},
    ops::Deref,
    sync::OnceLock,
};

use actix_throttle_core::limit::Limit;
use actix_web::HttpRequest;

use super::{
    arguments::ArgumentsCache,
    pending_charge::{self, PendingCharge},
    rule::Rule,
};
use crate::engine::log_throttle::TARGET;

/// Rules that are decided together. The properties that the fast path needs are computed once, and
/// not at each request.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// Whether there is one rule, whose limit is valid and applies as written to every request.
    is_single: bool,
    /// Whether the handler takes a `PendingCharge` that no rule can give it. Its first request
    /// shows it.
    lacks_settle: OnceLock<bool>,
    pub(super) arguments: ArgumentsCache,
}

impl RuleSet {
    fn new(rules: Vec<Rule>) -> Self {
        let is_valid = |rule: &Rule| rule.static_limit().is_some_and(|it| it.validate().is_ok());
        let is_single = matches!(&*rules, [rule] if rule.is_plain() && is_valid(rule));
        Self {
            rules,
            is_single,
            lacks_settle: OnceLock::new(),
            arguments: ArgumentsCache::default(),
        }
    }

    /// Refuses to settle, and logs an error, once, if the handler with these arguments takes a
    /// `PendingCharge` that no rule can give it.
    pub(super) fn check_pending_charge<Args>(&self, request: &HttpRequest) {
        let lacks_settle = || self.lacks_settle::<Args>(request);
        if *self.lacks_settle.get_or_init(lacks_settle) && !pending_charge::is_offered(request) {
            pending_charge::refuse(request);
        }
    }

    fn lacks_settle<Args>(&self, request: &HttpRequest) -> bool {
        let is_taken = type_name::<Args>().contains(type_name::<PendingCharge>());
        let may_settle = |rule: &Rule| rule.settles() || rule.named_limit().is_some();
        let lacks_settle =
            is_taken && !self.rules.iter().any(may_settle) && !pending_charge::is_offered(request);
        if lacks_settle {
            log::error!(
                target: TARGET,
                "the handler of {} takes a `PendingCharge`, and none of its limits has `settle`: \
                 what it settles changes nothing",
                request.match_pattern().as_deref().unwrap_or(request.path())
            );
        }
        lacks_settle
    }

    /// The only rule and its limit, which is valid, if the fast path can decide it.
    pub(super) fn single(&self) -> Option<(&Rule, &Limit)> {
        if !self.is_single {
            return None;
        }
        let rule = self.rules.first()?;
        Some((rule, rule.static_limit()?))
    }
}

impl Deref for RuleSet {
    type Target = [Rule];

    fn deref(&self) -> &[Rule] {
        &self.rules
    }
}

/// The rules of a handler.
#[derive(Debug)]
pub struct HandlerRules {
    rules: fn() -> Vec<Rule>,
    set: OnceLock<RuleSet>,
}

impl HandlerRules {
    /// Creates rules that are those that `rules` returns at the first use.
    pub const fn new(rules: fn() -> Vec<Rule>) -> Self {
        Self {
            rules,
            set: OnceLock::new(),
        }
    }
}

impl Deref for HandlerRules {
    type Target = RuleSet;

    fn deref(&self) -> &RuleSet {
        self.set.get_or_init(|| RuleSet::new((self.rules)()))
    }
}

/// The rules of a handler that mention `Self` or its generic parameters. Each choice of these has
/// rules of its own; a static cannot be generic, so one holds them all.
///
/// They are a linked list that only grows, so that a request finds its rules without a lock.
#[derive(Debug)]
pub struct HandlerRulesByType {
    /// The rules of the first choice. Most handlers have one.
    first: OnceLock<RulesOfType>,
}

/// The rules of one choice.
#[derive(Debug)]
struct RulesOfType {
    choice: TypeId,
    set: RuleSet,
    next: OnceLock<Box<Self>>,
}

impl RulesOfType {
    fn new(choice: TypeId, rules: Vec<Rule>) -> Self {
        Self {
            choice,
            set: RuleSet::new(rules),
            next: OnceLock::new(),
        }
    }
}

impl HandlerRulesByType {
    /// Creates a list without rules.
    #[expect(
        clippy::new_without_default,
        reason = "macro output creates it in a static"
    )]
    pub const fn new() -> Self {
        Self {
            first: OnceLock::new(),
        }
    }

    /// Returns the rules of the choice that the type of `rules` stands for: a closure has the
    /// generic parameters of the function around it. The rules are created once for each choice,
    /// and kept for as long as the process runs.
    pub fn of<F: Fn() -> Vec<Rule> + 'static>(&'static self, rules: F) -> &'static RuleSet {
        let wanted = TypeId::of::<F>();
        let create = || RulesOfType::new(wanted, rules());
        let mut entry = self.first.get_or_init(create);
        while entry.choice != wanted {
            entry = entry.next.get_or_init(|| Box::new(create()));
        }
        &entry.set
    }
}

#[cfg(test)]
mod tests {
    use std::{ptr, sync::mpsc, thread, time::Duration};

    use super::*;

    #[expect(
        clippy::extra_unused_type_parameters,
        reason = "each type is a function of its own"
    )]
    fn one_rule<T: 'static>() -> Vec<Rule> {
        vec![Rule::new(Limit::per_minute(1))]
    }

    fn two_rules<T: 'static>() -> Vec<Rule> {
        [one_rule::<T>(), one_rule::<T>()].concat()
    }

    #[test]
    fn each_type_keeps_the_rules_that_it_was_created_with() {
        static RULES: HandlerRulesByType = HandlerRulesByType::new();
        let look_up = || {
            [
                RULES.of(one_rule::<u8>),
                RULES.of(two_rules::<u8>),
                RULES.of(one_rule::<u16>),
            ]
        };
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(look_up)).collect();
        let found = look_up();
        assert_eq!(found.map(|set| set.len()), [1, 2, 1]);
        assert!(!ptr::eq(found[0], found[2]));
        for thread in threads {
            let again = thread.join().unwrap();
            assert!(
                found
                    .iter()
                    .zip(again)
                    .all(|(set, again)| ptr::eq(*set, again))
            );
        }
    }

    #[test]
    fn rules_are_found_while_those_of_another_type_are_created() {
        static RULES: HandlerRulesByType = HandlerRulesByType::new();
        let (sender, receiver) = mpsc::channel();
        RULES.of(one_rule::<u8>);
        RULES.of(two_rules::<u8>);
        thread::spawn(move || {
            RULES.of(move || {
                let found = [RULES.of(one_rule::<u8>), RULES.of(two_rules::<u8>)];
                sender.send(found.map(|set| set.len())).unwrap();
                Vec::new()
            });
        });
        let found = receiver.recv_timeout(Duration::from_secs(10));
        assert_eq!(found, Ok([1, 2]));
    }
}
