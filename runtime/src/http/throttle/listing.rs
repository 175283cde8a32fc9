//! The patterns of the app's routes, for a hint in the log about an unknown one.
//!
//! `ResourceMap` has no list of them, so this reads its `Debug` output. If that output changes,
//! there is no hint; nothing else depends on it.

use actix_web::dev::ResourceMap;

/// The similarity, from 0 to 1, from which on a pattern is taken for the one that was meant.
const ALIKE: f64 = 0.6;

/// The pattern most similar to this one, if one is similar enough.
pub(super) fn nearest(routes: &ResourceMap, pattern: &str) -> Option<String> {
    let alike = |other: &String| strsim::normalized_levenshtein(other, pattern);
    let listed = list(&format!("{routes:?}")).into_iter();
    let nearest = listed.max_by(|one, other| alike(one).total_cmp(&alike(other)))?;
    (alike(&nearest) >= ALIKE).then_some(nearest)
}

/// Reads the printed tree. Each node has its pattern, then the nodes below it; a route has none.
fn list(printed: &str) -> Vec<String> {
    let mut found = Vec::new();
    // The nodes from the root to the current one: the depth of each in braces, and its pattern.
    let mut nodes: Vec<(usize, String)> = Vec::new();
    let (mut depth, mut rest) = (0, printed);
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("named: {") {
            // `named` prints the nodes once more, by name.
            rest = skip_braces(after);
        } else if let Some(after) = rest.strip_prefix("ResourceMap {") {
            depth += 1;
            nodes.push((depth, String::new()));
            rest = after;
        } else if let Some(after) = rest
            .strip_prefix("patterns: Single(\"")
            .or_else(|| rest.strip_prefix("patterns: List([\""))
        {
            let (text, after) = string(after);
            if let Some((_, pattern)) = nodes.last_mut() {
                *pattern = text;
            }
            rest = after;
        } else if let Some(after) = rest.strip_prefix("nodes: None") {
            found.push(nodes.iter().map(|(_, pattern)| pattern.as_str()).collect());
            rest = after;
        } else if first == '"' {
            rest = string(&rest[1..]).1;
        } else {
            depth = match first {
                '{' => depth + 1,
                '}' => depth.saturating_sub(1),
                _ => depth,
            };
            if nodes.last().is_some_and(|(own, _)| *own > depth) {
                nodes.pop();
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// Reads a string after its opening quote: its text without escapes, and what follows it.
fn string(text: &str) -> (String, &str) {
    let mut content = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return (content, &text[index + 1..]),
            '\\' => content.extend(characters.next().map(|(_, escaped)| escaped)),
            other => content.push(other),
        }
    }
    (content, "")
}

/// Skips a block after its opening brace, and returns what follows it.
fn skip_braces(mut text: &str) -> &str {
    let mut depth = 1;
    while let (Some(first), true) = (text.chars().next(), depth > 0) {
        text = match first {
            '"' => string(&text[1..]).1,
            other => {
                match other {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                &text[other.len_utf8()..]
            }
        };
    }
    text
}
