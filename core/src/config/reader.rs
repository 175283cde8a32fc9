//! Reads a table of the file key by key. A key that no reader asks for is unknown.

use super::{
    diagnostics::Diagnostics,
    document::{Entry, Node, Spanned, Value},
    suggest,
};

/// Reader of one table. The keys that it is asked for are the valid ones, so
/// [`finish`](Self::finish) comes last.
pub(crate) struct TableReader<'n> {
    entries: &'n [Entry],
    asked: Vec<&'static str>,
}

impl<'n> TableReader<'n> {
    /// Opens the table that must stand at `node`; `example` shows one.
    pub(crate) fn of(node: &'n Node, example: &str, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Table(entries) => Some(Self {
                entries,
                asked: Vec::new(),
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
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.asked.push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Whether the key is there, right or wrong.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Reads a string that is not empty.
    pub(crate) fn text(
        &mut self,
        key: &'static str,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<&'n str>> {
        let node = &self.take(key)?.node;
        match text(node) {
            Some(text) if !text.value.is_empty() => Some(text),
            Some(_) => {
                let reason = format!("`{key}` is empty: write `{key} = {example}`");
                diagnostics.at(node.position, reason);
                None
            }
            None => wrong(key, "a string", example, node, diagnostics),
        }
    }

    /// Reads a flag, which is off if it is absent.
    pub(crate) fn flag(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> bool {
        match self.take(key) {
            None => false,
            Some(Entry { node, .. }) => match node.value {
                Value::Flag(flag) => flag,
                _ => wrong(key, "true or false", "true", node, diagnostics).unwrap_or(false),
            },
        }
    }

    /// Reads a whole number from `least`. A number too large for `u32` becomes one out of every
    /// range.
    pub(crate) fn count(
        &mut self,
        key: &'static str,
        least: u32,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<u32>> {
        let node = &self.take(key)?.node;
        let position = node.position;
        match node.value {
            Value::Integer(number) if number < i64::from(least) => {
                diagnostics.at(position, format!("`{key}` must be at least {least}"));
                None
            }
            Value::Integer(number) => Some(Spanned {
                position,
                value: u32::try_from(number).unwrap_or(u32::MAX),
            }),
            _ => wrong(key, "an integer", &least.to_string(), node, diagnostics),
        }
    }

    /// Reads one of these words.
    pub(crate) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        let example = words.first().map_or("", |(word, _)| word);
        let text = self.text(key, &format!("\"{example}\""), diagnostics)?;
        let known = words.iter().find(|(word, _)| *word == text.value);
        if known.is_none() {
            let valid: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            diagnostics.at(text.position, suggest::unknown(key, text.value, &valid));
        }
        known.map(|(_, value)| Spanned {
            position: text.position,
            value: *value,
        })
    }

    /// Reads a list of strings, empty if it is absent.
    pub(crate) fn texts(
        &mut self,
        key: &'static str,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Spanned<&'n str>> {
        let mut texts = Vec::new();
        for node in self.list(key, example, diagnostics).unwrap_or_default() {
            match text(node) {
                Some(text) => texts.push(text),
                None => {
                    let kind = node.value.kind();
                    let reason = format!("`{key}` lists strings, not {kind}: write `{example}`");
                    diagnostics.at(node.position, reason);
                }
            }
        }
        texts
    }

    /// Reads a list; `None` if it is absent, or something else, which is reported.
    pub(crate) fn list(
        &mut self,
        key: &'static str,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'n [Node]> {
        let node = &self.take(key)?.node;
        match &node.value {
            Value::List(nodes) => Some(nodes),
            _ => wrong(key, "a list", example, node, diagnostics),
        }
    }

    /// Reports those of these keys that are there, each with the text that `reason` makes of it.
    pub(crate) fn refuse(
        &mut self,
        keys: &[&'static str],
        reason: impl Fn(&str) -> String,
        diagnostics: &mut Diagnostics,
    ) {
        for entry in self.entries {
            if keys.contains(&entry.key.as_str()) {
                diagnostics.at(entry.position, reason(&entry.key));
            }
        }
        self.asked.extend(keys);
    }

    /// Reports every key that no reader asked for.
    pub(crate) fn finish(self, diagnostics: &mut Diagnostics) {
        for entry in self.entries {
            if !self.asked.contains(&entry.key.as_str()) {
                let reason = suggest::unknown("key", &entry.key, &self.asked);
                diagnostics.at(entry.position, reason);
            }
        }
    }
}

/// Returns the string of a node, if it is one.
pub(crate) fn text(node: &Node) -> Option<Spanned<&str>> {
    match &node.value {
        Value::Text(text) => Some(Spanned {
            position: node.position,
            value: text,
        }),
        _ => None,
    }
}

/// Reports what `key` takes, and returns no value.
fn wrong<T>(
    key: &str,
    expected: &str,
    example: &str,
    node: &Node,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let kind = node.value.kind();
    let reason = format!("`{key}` takes {expected}, not {kind}: write `{key} = {example}`");
    diagnostics.at(node.position, reason);
    None
}
