//! The rules of one handler, created at its first request. Macro output keeps them in a static.

use std::{any::TypeId, ops::Deref};

use once_cell::sync::{Lazy, OnceCell};
use parking_lot::Mutex;

use super::rule::Rule;

/// The rules of a handler.
#[derive(Debug)]
pub struct Policy(Lazy<Vec<Rule>>);

impl Policy {
    /// Creates a policy with the rules that `rules` returns at the first use.
    pub const fn new(rules: fn() -> Vec<Rule>) -> Self {
        Self(Lazy::new(rules))
    }
}

impl Deref for Policy {
    type Target = [Rule];

    fn deref(&self) -> &[Rule] {
        &self.0
    }
}

/// The rules of a handler that mention `Self` or its generic parameters. Each choice of these has
/// rules of its own; a static cannot be generic, so one holds them all.
#[derive(Debug)]
pub struct PolicyByType {
    /// The rules of the first choice. Most handlers have one.
    first: OnceCell<(TypeId, Vec<Rule>)>,
    others: Mutex<Vec<(TypeId, &'static [Rule])>>,
}

impl PolicyByType {
    /// Creates a policy without rules.
    #[expect(
        clippy::new_without_default,
        reason = "macro output makes it in a static"
    )]
    pub const fn new() -> Self {
        Self {
            first: OnceCell::new(),
            others: Mutex::new(Vec::new()),
        }
    }

    /// Returns the rules of the choice that the type of `rules` stands for: a closure has the
    /// generic parameters of the function around it. The rules are created once for each choice,
    /// and kept for as long as the process runs.
    pub fn of<F: Fn() -> Vec<Rule> + 'static>(&'static self, rules: F) -> &'static [Rule] {
        let wanted = TypeId::of::<F>();
        let (first, made) = self.first.get_or_init(|| (wanted, rules()));
        if *first == wanted {
            return made;
        }
        let mut others = self.others.lock();
        if let Some((_, made)) = others.iter().find(|(other, _)| *other == wanted) {
            return made;
        }
        let made: &'static [Rule] = Vec::leak(rules());
        others.push((wanted, made));
        made
    }
}
