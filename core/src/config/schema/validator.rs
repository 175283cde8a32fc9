//! A validator of the JSON schemas that this crate makes: it knows their keywords, and panics at
//! any other.

use regex::Regex;
use serde_json::Value;

/// Whether the schema lets the value through; references are looked up in `root`.
pub(super) fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let keywords = schema.as_object().expect("a schema");
    keywords
        .iter()
        .all(|(keyword, rule)| match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "patternProperties" => true,
            "$ref" => {
                let pointer = rule.as_str().expect("a reference").trim_start_matches('#');
                is_valid(root, root.pointer(pointer).expect("a definition"), value)
            }
            "anyOf" => {
                let mut choices = rule.as_array().expect("choices").iter();
                choices.any(|choice| is_valid(root, choice, value))
            }
            "type" => match rule.as_str().expect("a type") {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64(),
                "boolean" => value.is_boolean(),
                other => panic!("type {other}"),
            },
            "enum" => rule.as_array().expect("words").contains(value),
            "pattern" => value.as_str().is_none_or(|text| matches(rule, text)),
            "minimum" => value
                .as_i64()
                .is_none_or(|number| number >= number_of(rule)),
            "maximum" => value
                .as_i64()
                .is_none_or(|number| number <= number_of(rule)),
            "items" => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                items.iter().all(|item| is_valid(root, rule, item))
            }
            "minItems" => value.as_array().is_none_or(|items| {
                i64::try_from(items.len()).expect("a count") >= number_of(rule)
            }),
            "required" => {
                let mut keys = rule.as_array().expect("keys").iter();
                keys.all(|key| value.get(key.as_str().expect("a key")).is_some())
            }
            "minProperties" => {
                let count = value.as_object().map_or(0, serde_json::Map::len);
                i64::try_from(count).expect("a count") >= number_of(rule)
            }
            "properties" => {
                let mut properties = rule.as_object().expect("properties").iter();
                properties.all(|(key, schema)| {
                    value
                        .get(key)
                        .is_none_or(|value| is_valid(root, schema, value))
                })
            }
            "additionalProperties" => {
                let mut entries = value.as_object().into_iter().flatten();
                entries.all(|(key, value)| {
                    let named = schema.pointer("/properties").and_then(|all| all.get(key));
                    let patterns = schema.pointer("/patternProperties");
                    let mut patterns = patterns.and_then(Value::as_object).into_iter().flatten();
                    let by_pattern = patterns
                        .find(|(pattern, _)| Regex::new(pattern).expect("a regex").is_match(key));
                    named.is_some()
                        || by_pattern.is_some_and(|(_, schema)| is_valid(root, schema, value))
                })
            }
            other => panic!("keyword {other}"),
        })
}

fn matches(pattern: &Value, text: &str) -> bool {
    let pattern = pattern.as_str().expect("a pattern");
    Regex::new(pattern).expect("a regex").is_match(text)
}

fn number_of(value: &Value) -> i64 {
    value.as_i64().expect("a number")
}
