//! The rules of one handler, created and classified at its first request. Macro output keeps them
//! in a static.

use std::{
    any::{TypeId, type_name},
    ops::Deref,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_throttle_core::limit::Limit;
use actix_web::HttpRequest;
use parking_lot::Mutex;

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
    /// Whether a `PendingCharge` among the handler's arguments was looked for.
    is_checked: AtomicBool,
    pub(super) arguments: ArgumentsCache,
}

impl RuleSet {
    fn new(rules: Vec<Rule>) -> Self {
        let is_valid = |rule: &Rule| rule.static_limit().is_some_and(|it| it.validate().is_ok());
        let is_single = matches!(&*rules, [rule] if rule.is_plain() && is_valid(rule));
        Self {
            rules,
            is_single,
            is_checked: AtomicBool::new(false),
            arguments: ArgumentsCache::default(),
        }
    }

    /// Logs an error, once, if the handler with these arguments takes a `PendingCharge` that no
    /// rule can give it.
    pub(super) fn check_pending_charge<Args>(&self, request: &HttpRequest) {
        // The flag is relaxed: at worst, two workers log it.
        if self.is_checked.load(Ordering::Relaxed) || self.is_checked.swap(true, Ordering::Relaxed)
        {
            return;
        }
        let is_taken = type_name::<Args>().contains(type_name::<PendingCharge>());
        let may_settle = |rule: &Rule| rule.settles() || rule.named_limit().is_some();
        if is_taken && !self.rules.iter().any(may_settle) && !pending_charge::is_offered(request) {
            log::error!(
                target: TARGET,
                "the handler of {} takes a `PendingCharge`, and none of its limits has `settle`: \
                 what it settles changes nothing",
                request.match_pattern().as_deref().unwrap_or(request.path())
            );
        }
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
#[derive(Debug)]
pub struct HandlerRulesByType {
    /// The rules of the first choice. Most handlers have one.
    first: OnceLock<(TypeId, RuleSet)>,
    others: Mutex<Vec<(TypeId, &'static RuleSet)>>,
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
            others: Mutex::new(Vec::new()),
        }
    }

    /// Returns the rules of the choice that the type of `rules` stands for: a closure has the
    /// generic parameters of the function around it. The rules are created once for each choice,
    /// and kept for as long as the process runs.
    pub fn of<F: Fn() -> Vec<Rule> + 'static>(&'static self, rules: F) -> &'static RuleSet {
        let wanted = TypeId::of::<F>();
        let (first, set) = self.first.get_or_init(|| (wanted, RuleSet::new(rules())));
        if *first == wanted {
            return set;
        }
        let mut others = self.others.lock();
        if let Some((_, set)) = others.iter().find(|(other, _)| *other == wanted) {
            return set;
        }
        let set: &'static RuleSet = Box::leak(Box::new(RuleSet::new(rules())));
        others.push((wanted, set));
        set
    }
}
