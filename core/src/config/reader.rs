//! Reads a table of the file key by key. A key that no reader asks for is unknown.

use super::{
    diagnostics::Diagnostics,
    document::{DocumentNode, DocumentValue, KeyValue},
    position::Spanned,
};
use crate::{
    text::{suggest, word::Word},
    vocabulary::{self, Argument, ValueKind},
};

/// The reader of one table. The keys that are taken are the valid ones, so [`finish`](Self::finish)
/// comes last.
pub(crate) struct TableReader<'n> {
    entries: &'n [KeyValue],
    known: Vec<&'static str>,
}

impl<'n> TableReader<'n> {
    /// Opens the table that must stand at `node`; `example` shows one.
    pub(crate) fn of(
        node: &'n DocumentNode,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        match &node.value {
            DocumentValue::Table(entries) => Some(Self {
                entries,
                known: Vec::new(),
            }),
            other => {
                let kind = other.kind();
                diagnostics.at(
                    node.position,
                    format!("a table, not {kind}: write `{example}`"),
                );
                None
            }
        }
    }

    /// Makes the key a valid one, and returns its entry.
    pub(crate) fn take(&mut self, argument: &'static Argument) -> Option<&'n KeyValue> {
        if !self.known.contains(&argument.name) {
            self.known.push(argument.name);
        }
        self.entries.iter().find(|entry| entry.key == argument.name)
    }

    /// Whether the key is there, right or wrong.
    pub(crate) fn has(&self, argument: &Argument) -> bool {
        self.entries.iter().any(|entry| entry.key == argument.name)
    }

    /// Returns all keys of the table.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'n str> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// Reads a string that is not empty.
    pub(crate) fn text(
        &mut self,
        argument: &'static Argument,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<&'n str>> {
        let node = &self.take(argument)?.node;
        match text(node) {
            Some(text) if !text.value.is_empty() => Some(text),
            Some(_) => {
                let Argument { name, example, .. } = argument;
                let reason = format!("`{name}` is empty: write `{name} = {example}`");
                diagnostics.at(node.position, reason);
                None
            }
            None => wrong(argument, "a string", node, diagnostics),
        }
    }

    /// Reads a flag, which is off if it is absent.
    pub(crate) fn flag(
        &mut self,
        argument: &'static Argument,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        match self.take(argument) {
            None => false,
            Some(KeyValue { node, .. }) => match node.value {
                DocumentValue::Flag(flag) => flag,
                _ => wrong(argument, "true or false", node, diagnostics).unwrap_or(false),
            },
        }
    }

    /// Reads a whole number, at least the least of its range. A number too large for `u32` becomes
    /// one out of every range.
    pub(crate) fn count(
        &mut self,
        argument: &'static Argument,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<u32>> {
        let node = &self.take(argument)?.node;
        let position = node.position;
        let least = match &argument.kind {
            ValueKind::Count(range) => *range.start(),
            _ => 0,
        };
        match node.value {
            DocumentValue::Integer(number) if number < i64::from(least) => {
                let name = argument.name;
                diagnostics.at(position, format!("`{name}` must be at least {least}"));
                None
            }
            DocumentValue::Integer(number) => Some(Spanned {
                position,
                value: u32::try_from(number).unwrap_or(u32::MAX),
            }),
            _ => wrong(argument, "an integer", node, diagnostics),
        }
    }

    /// Reads one of the argument's words.
    pub(crate) fn word<T: Word>(
        &mut self,
        argument: &'static Argument,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        let Spanned { position, value } = self.text(argument, diagnostics)?;
        let word = T::of_word(value);
        if word.is_none() {
            let noun = T::NOUN.unwrap_or(argument.name);
            let reason = suggest::unknown(noun, value, &T::words());
            diagnostics.at(position, reason);
        }
        word.map(|value| Spanned { position, value })
    }

    /// Reads a list of strings, empty if it is absent.
    pub(crate) fn texts(
        &mut self,
        argument: &'static Argument,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Spanned<&'n str>> {
        let nodes = self.list(argument, diagnostics).unwrap_or_default();
        texts(nodes, argument, diagnostics)
    }

    /// Reads a list; `None` if it is absent, or something else, which is reported.
    pub(crate) fn list(
        &mut self,
        argument: &'static Argument,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'n [DocumentNode]> {
        list(&self.take(argument)?.node, argument, diagnostics)
    }

    /// Reports those of these keys that are there, each with the text that `reason` makes of it.
    pub(crate) fn refuse(
        &mut self,
        arguments: impl IntoIterator<Item = &'static Argument>,
        reason: impl Fn(&'static Argument) -> String,
        diagnostics: &mut Diagnostics,
    ) {
        for argument in arguments {
            if let Some(entry) = self.take(argument)
                && !says_nothing(argument, &entry.node)
            {
                diagnostics.at(entry.position, reason(argument));
            }
        }
    }

    /// Reports every key that no reader has taken.
    pub(crate) fn finish(self, diagnostics: &mut Diagnostics) {
        for entry in self.entries {
            if !self.known.contains(&entry.key.as_str()) {
                let reason = suggest::unknown("key", &entry.key, &self.known);
                diagnostics.at(entry.position, reason);
            }
        }
    }
}

/// Returns whether a key says only what holds without it: `settle = false`, which turns off what a
/// named limit may say, and does so also for one that says nothing.
fn says_nothing(argument: &Argument, node: &DocumentNode) -> bool {
    argument.name == vocabulary::SETTLE.name && matches!(node.value, DocumentValue::Flag(false))
}

/// Returns the string of a node, if it is one.
pub(crate) fn text(node: &DocumentNode) -> Option<Spanned<&str>> {
    match &node.value {
        DocumentValue::Text(text) => Some(Spanned {
            position: node.position,
            value: text,
        }),
        _ => None,
    }
}

/// Reads the entries of a list; `None` if the node is something else, which is reported.
pub(crate) fn list<'n>(
    node: &'n DocumentNode,
    argument: &Argument,
    diagnostics: &mut Diagnostics,
) -> Option<&'n [DocumentNode]> {
    match &node.value {
        DocumentValue::List(nodes) => Some(nodes),
        _ => wrong(argument, "a list", node, diagnostics),
    }
}

/// Reads the strings of a list, and reports what else is in it.
pub(crate) fn texts<'n>(
    nodes: &'n [DocumentNode],
    argument: &Argument,
    diagnostics: &mut Diagnostics,
) -> Vec<Spanned<&'n str>> {
    let mut texts = Vec::with_capacity(nodes.len());
    for node in nodes {
        match text(node) {
            Some(text) => texts.push(text),
            None => {
                let kind = node.value.kind();
                let Argument { name, example, .. } = argument;
                let reason = format!("`{name}` lists strings, not {kind}: write `{example}`");
                diagnostics.at(node.position, reason);
            }
        }
    }
    texts
}

/// Reports what the argument takes, and returns no value.
fn wrong<T>(
    argument: &Argument,
    expected: &str,
    node: &DocumentNode,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let kind = node.value.kind();
    let Argument { name, example, .. } = argument;
    let reason = format!("`{name}` takes {expected}, not {kind}: write `{name} = {example}`");
    diagnostics.at(node.position, reason);
    None
}
