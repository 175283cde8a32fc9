//! Tests of the published schema: it is the derived one, and agrees with what is read.

use std::{collections::BTreeSet, env, fs};

use serde_json::{Value, json};

use super::derived;
use crate::{
    config::{
        Config, Diff, Format,
        error::Diagnostics,
        file::File,
        identifier::IdentifierRegistry,
        tree::{self, Node},
    },
    identity::Identifier,
};

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/throttle.schema.json");

#[test]
fn the_published_schema_is_the_derived_one() {
    let derived = derived();
    let text = format!("{derived:#}\n");
    if env::var_os("THROTTLE_SCHEMA").is_some_and(|what| what == "write") {
        fs::write(PUBLISHED, &text).expect("a file");
    }
    let published = fs::read_to_string(PUBLISHED).expect("the published schema");
    assert!(published == text, "write it anew: see the top of this file");
}

/// Checks that each table that is read has the keys of the schema, no more and no less.
#[test]
fn the_schema_knows_the_keys_that_are_read() {
    let schema = derived();
    for (text, pointer) in [
        ("zz = 1", ""),
        ("limits.a = { rate = '1/s', zz = 1 }", "/$defs/LimitTable"),
        ("limits.a = { max = 1, zz = 1 }", "/$defs/LimitTable"),
        ("rules = [{ limits = ['1/s'], zz = 1 }]", "/$defs/Rule"),
        (
            "rules = [{ limits = [{ limit = 'a', zz = 1 }] }]",
            "/$defs/ShareTable",
        ),
        (
            "rules = [{ identifier = { header = 'a', zz = 1 } }]",
            "/$defs/IdentifierTable",
        ),
    ] {
        let error = Config::parse(text, Format::Toml)
            .expect_err(text)
            .to_string();
        let valid = error
            .lines()
            .find_map(|line| line.split_once("`zz`: valid are "));
        let (_, valid) = valid.unwrap_or_else(|| panic!("{text}: {error}"));
        let read: BTreeSet<&str> = valid.split(", ").map(|key| key.trim_matches('`')).collect();
        let properties = schema.pointer(&format!("{pointer}/properties"));
        let properties = properties.and_then(Value::as_object).expect(pointer);
        let published: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(read, published, "{text}");
    }
}

/// Checks the examples of the documentation.
#[test]
fn the_examples_are_right_and_say_the_same() {
    fn json(node: &Node) -> Value {
        match &node.value {
            tree::Value::Flag(flag) => json!(flag),
            tree::Value::Integer(number) => json!(number),
            tree::Value::Text(text) => json!(text),
            tree::Value::List(nodes) => nodes.iter().map(json).collect(),
            tree::Value::Table(entries) => {
                let pairs = entries.iter();
                pairs
                    .map(|entry| (entry.key.clone(), json(&entry.node)))
                    .collect()
            }
            tree::Value::Null | tree::Value::Other(_) => Value::Null,
        }
    }

    let (toml, yaml) = (
        include_str!("../example.toml"),
        include_str!("../example.yaml"),
    );
    let validator = jsonschema::validator_for(&derived()).expect("a schema");
    let read = |text, format| {
        let node = Node::parse(text, format, &mut Diagnostics::default()).expect("a tree");
        let instance = json(&node);
        let mut errors = validator.iter_errors(&instance);
        let first = errors.next().map(|error| error.to_string());
        assert_eq!(first, None, "{text}");
        let known = IdentifierRegistry::from([("by_user".to_owned(), Identifier::ip())]);
        let file = File::parse(text, format, "example", &known).expect("a right file");
        assert!(!file.rules.is_empty());
        file
    };
    let (toml, yaml) = (read(toml, Format::Toml), read(yaml, Format::Yaml));
    assert_eq!(Diff::between(&toml, &yaml), Diff::default());
}

#[test]
fn the_schema_lets_right_files_through_and_stops_wrong_ones() {
    let validator = jsonschema::validator_for(&derived()).expect("a schema");
    for right in [
        json!({ "rules": [] }),
        json!({ "limits": { "login": "5/minute", "a.b": { "times": 5, "minutes": 1, "block": "60s" } } }),
        json!({ "limits": { "login": "5/day" }, "rules": [{ "path": "^/a", "limits": [
            "5/minute", "login", { "rate": "1/s", "group": "pro" }, { "group": "a", "unlimited": true },
            { "limit": "login", "identifier": { "header": "X" }, "refund_on": "5xx" },
        ] }] }),
        json!({ "limits": { "export": { "max": 2, "expiry": "10s", "max_wait": "1s" } }, "rules": [{
            "max_wait": "500ms",
            "limits": ["export", { "max": 5, "name": "a", "zone": "b", "shadow": true, "group": "pro" }],
        }] }),
        json!({ "exempt": ["/a"], "skip_preflight": true, "rules": [{ "exempt": true }] }),
    ] {
        let mut errors = validator.iter_errors(&right);
        assert_eq!(
            errors.next().map(|error| error.to_string()),
            None,
            "{right}"
        );
        // JSON is a subset of YAML 1.2.
        Config::parse(&right.to_string(), Format::Yaml).expect("a right file");
    }
    for wrong in [
        json!({}),
        json!({ "limits": {} }),
        json!({ "exempt": ["/a"], "skip_preflight": true }),
        json!({ "limts": {} }),
        json!({ "limits": { "9": "5/minute" } }),
        json!({ "limits": { "a": 5 } }),
        json!({ "limits": { "a": "fast" } }),
        json!({ "limits": { "a": { "rate": "5/minute", "algoritm": "x" } } }),
        json!({ "limits": { "a": { "times": 0, "minutes": 1 } } }),
        json!({ "limits": { "a": null } }),
        json!({ "limits": { "a": { "max": 0 } } }),
        json!({ "limits": { "a": { "max": 5, "expiry": 30 } } }),
        json!({ "rules": [{ "max_wait": 500, "limits": ["1/s"] }] }),
        json!({ "rules": [{ "limits": [{ "rate": "1/s", "tiems": 5 }] }] }),
        json!({ "rules": [{ "methods": ["get"], "limits": ["1/s"] }] }),
        json!({ "rules": [{ "identifier": { "hedder": "a" }, "limits": ["1/s"] }] }),
        json!({ "skip_preflight": "yes" }),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}
