//! The keys of a limit, by the kind of limit that has them.

use super::{diagnostics::Diagnostics, reader::TableReader};
use crate::{
    text::suggest,
    vocabulary::{self, ARGUMENTS, Argument, Scope},
};

/// Keys that give times and window apart.
pub(crate) static TIMES_AND_WINDOW: [&Argument; 7] = [
    &vocabulary::TIMES,
    &vocabulary::MILLISECONDS,
    &vocabulary::SECONDS,
    &vocabulary::MINUTES,
    &vocabulary::HOURS,
    &vocabulary::DAYS,
    &vocabulary::EVERY,
];

/// Returns the keys that only a rate has.
pub(crate) fn only_of_rate() -> impl Iterator<Item = &'static Argument> {
    of(Scope::Rate).filter(|argument| !argument.is_in(Scope::Concurrency))
}

/// Returns the keys that only a concurrency limit has.
pub(crate) fn only_of_concurrency() -> impl Iterator<Item = &'static Argument> {
    of(Scope::Concurrency).filter(|argument| !argument.is_in(Scope::Rate))
}

/// Returns the keys that define a limit of either kind, without its options.
pub(crate) fn definition() -> impl Iterator<Item = &'static Argument> {
    let keys = of(Scope::Rate).chain(only_of_concurrency());
    keys.filter(|argument| !argument.is_in(Scope::NamedLimit))
}

/// Returns the options, which a rule may set for a limit that it names.
pub(crate) fn options() -> impl Iterator<Item = &'static Argument> {
    of(Scope::NamedLimit)
}

/// Returns the options that only a rate has.
pub(crate) fn options_of_rate() -> impl Iterator<Item = &'static Argument> {
    options().filter(|argument| !argument.is_in(Scope::Concurrency))
}

/// Whether this key gives times or a window.
pub(crate) fn is_times_or_window(argument: &Argument) -> bool {
    let is_same = |key: &&Argument| key.name == argument.name;
    is_same(&&vocabulary::RATE) || TIMES_AND_WINDOW.iter().any(is_same)
}

/// Whether the table gives times or a window.
pub(crate) fn has_rate(table: &TableReader<'_>) -> bool {
    table.has(&vocabulary::RATE) || TIMES_AND_WINDOW.iter().any(|key| table.has(key))
}

/// Whether the table has the key, right, wrong or misspelt. A misspelt key is reported as unknown,
/// so the one that it stands for is not missing as well.
pub(crate) fn is_meant(table: &TableReader<'_>, argument: &Argument) -> bool {
    let mut keys = table.keys();
    keys.any(|key| key == argument.name || of_misspelt(key) == Some(argument.name))
}

/// Reports all keys that define a limit, each with the text that `reason` makes of it.
pub(crate) fn refuse(
    table: &mut TableReader<'_>,
    reason: impl Fn(&'static Argument) -> String,
    diagnostics: &mut Diagnostics,
) {
    table.refuse(definition(), reason, diagnostics);
}

/// Returns the key of a limit that an unknown one stands for.
fn of_misspelt(word: &str) -> Option<&'static str> {
    let keys = definition().chain(options()).chain(of(Scope::RuleLimit));
    let valid: Vec<_> = keys.map(|argument| argument.name).collect();
    let is_unknown = !valid.contains(&word);
    is_unknown.then(|| suggest::nearest(word, valid))?
}

fn of(scope: Scope) -> impl Iterator<Item = &'static Argument> {
    ARGUMENTS
        .iter()
        .copied()
        .filter(move |argument| argument.is_in(scope))
}
