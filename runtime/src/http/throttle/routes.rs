//! Looks a pattern up among the app's routes.
//!
//! Actix finds patterns by paths and has no list of them, so this makes a path that the pattern
//! would match, and asks for that path's pattern. The check of exemptions calls it; no request is
//! decided by it.

use std::fmt::Write;

use actix_web::dev::ResourceMap;
use regex::Regex;

/// Sample values for path segments. Most of the regexes in patterns match one of them.
const VALUES: [&str; 7] = [
    "1",
    "a",
    "A1",
    "abcdefgh",
    "12345678",
    "2026-01-31",
    "01234567-89ab-cdef-0123-456789abcdef",
];

/// Looks for a route with this pattern. `Err` if there surely is none, with the pattern that has
/// its paths instead.
pub(super) fn find(routes: &ResourceMap, pattern: &str) -> Result<(), Option<String>> {
    let found = match sample(pattern) {
        Sample::Path(path) => routes.match_pattern(&path),
        // The result is unknown, and a false alarm is worse than none.
        Sample::Unknown => return Ok(()),
        Sample::Malformed => None,
    };
    match found {
        Some(found) if found == pattern => Ok(()),
        // The path leads to a route with other names or regexes of segments, or to one that comes
        // before.
        Some(found) => Err(Some(found)),
        None => Err(None),
    }
}

/// A path that a pattern matches.
enum Sample {
    Path(String),
    /// The pattern's regexes match none of the sample values.
    Unknown,
    /// The pattern is malformed, so no route can have it.
    Malformed,
}

/// Makes a path that this pattern matches.
fn sample(pattern: &str) -> Sample {
    let mut path = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, segment)) = rest.split_once('{') {
        path.push_str(before);
        let Some(end) = closing(segment) else {
            return Sample::Malformed;
        };
        match segment[..end].split_once(':') {
            // The segment matches any text. With its braces, this is not the name of a static
            // sibling.
            None => {
                // Writing to a String cannot fail.
                let _ = write!(path, "{{{}}}", &segment[..end]);
            }
            Some((_, regex)) => {
                let Ok(regex) = Regex::new(&format!("^(?:{regex})$")) else {
                    return Sample::Malformed;
                };
                let Some(value) = VALUES.iter().find(|value| regex.is_match(value)) else {
                    return Sample::Unknown;
                };
                path.push_str(value);
            }
        }
        // `{tail}*` matches all that follows.
        rest = segment[end + 1..].trim_start_matches('*');
    }
    path.push_str(rest);
    Sample::Path(path)
}

/// The index of the brace that closes the one before this text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.char_indices().find_map(|(index, character)| {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_paths_that_the_patterns_match() {
        let path = |pattern| match sample(pattern) {
            Sample::Path(path) => Some(path),
            Sample::Unknown | Sample::Malformed => None,
        };
        assert_eq!(path("/api/search").as_deref(), Some("/api/search"));
        assert_eq!(path("/user/{id}").as_deref(), Some("/user/{id}"));
        assert_eq!(path("/v{n:[[:digit:]]{1}}/x").as_deref(), Some("/v1/x"));
        assert_eq!(path("/files/{tail}*").as_deref(), Some("/files/{tail}"));
        assert_eq!(path("/odd/{id:x{30}}"), None);
        assert!(matches!(sample("/odd/{id"), Sample::Malformed));
    }
}
