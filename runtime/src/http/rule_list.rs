//! The rules of one handler, made at its first request.

use std::{any::TypeId, ops::Deref};

use once_cell::sync::{Lazy, OnceCell};
use parking_lot::Mutex;

use super::rule::Rule;

/// The rules of a handler.
#[derive(Debug)]
pub struct Policy(Lazy<Vec<Rule>>);

impl Policy {
    /// A policy of the rules that `rules` makes.
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

/// The rules of a handler that speak of `Self` or of its generic parameters: for each choice of
/// these, rules of their own. A static cannot be generic, so all of them are in one.
#[derive(Debug)]
pub struct PolicyByType {
    /// Most handlers have one.
    first: OnceCell<(TypeId, Vec<Rule>)>,
    others: Mutex<Vec<(TypeId, &'static [Rule])>>,
}

impl PolicyByType {
    /// One without rules as yet.
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

    /// The rules that `rules` makes, whose type tells the choice: a closure has the generic parameters
    /// of the function that it stands in. Kept for as long as the process runs, once for each.
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
