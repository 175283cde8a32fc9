//! Tests of the published schema: it is the one of the table, and agrees with what is read.

use std::{collections::BTreeSet, env, fs};

use serde_json::{Value, json};

use super::{json_schema, validator::is_valid};
use crate::config::{
    ConfigSpec, Format,
    diagnostics::Diagnostics,
    document::{self, DocumentNode, DocumentValue},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime");

#[test]
fn published_schema_is_the_one_of_the_table() {
    let path = format!("{FOLDER}/throttle.schema.json");
    let schema = json_schema();
    if env::var_os("THROTTLE_SCHEMA").is_some_and(|what| what == "write") {
        fs::write(&path, format!("{schema:#}\n")).expect("a file");
    }
    let published = fs::read_to_string(&path).expect("the published schema");
    let published: Value = serde_json::from_str(&published).expect("JSON");
    assert!(
        published == schema,
        "write it anew: see the top of this module"
    );
}

/// Checks that each table that is read has the keys of the schema, no more and no less.
#[test]
fn schema_has_the_keys_that_are_read() {
    let schema = json_schema();
    for (text, pointer) in [
        ("zz = 1", ""),
        ("limits.a = { rate = '1/s', zz = 1 }", "/$defs/LimitTable"),
        ("limits.a = { max = 1, zz = 1 }", "/$defs/LimitTable"),
        ("rules = [{ limits = ['1/s'], zz = 1 }]", "/$defs/Rule"),
        ("rules = [{ exempt = true, zz = 1 }]", "/$defs/Rule"),
        (
            "rules = [{ limits = [{ limit = 'a', zz = 1 }] }]",
            "/$defs/RuleLimitTable",
        ),
        (
            "rules = [{ identifier = { header = 'a', zz = 1 } }]",
            "/$defs/IdentifierTable",
        ),
    ] {
        let diagnostics = ConfigSpec::parse(text, Format::Toml, &[]).expect_err(text);
        let valid = diagnostics.iter().find_map(|diagnostic| {
            let (_, valid) = diagnostic.reason().split_once("`zz`: valid are ")?;
            Some(valid)
        });
        let valid = valid.unwrap_or_else(|| panic!("{text}: {diagnostics:?}"));
        let read: BTreeSet<&str> = valid.split(", ").map(|key| key.trim_matches('`')).collect();
        let properties = schema.pointer(&format!("{pointer}/properties"));
        let properties = properties.and_then(Value::as_object).expect(pointer);
        let published: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(read, published, "{text}");
    }
}

#[test]
fn schema_accepts_the_documented_examples() {
    fn json(node: &DocumentNode) -> Value {
        match &node.value {
            DocumentValue::Flag(flag) => json!(flag),
            DocumentValue::Integer(number) => json!(number),
            DocumentValue::Text(text) => json!(text),
            DocumentValue::List(nodes) => nodes.iter().map(json).collect(),
            DocumentValue::Table(entries) => {
                let pairs = entries.iter();
                pairs
                    .map(|entry| (entry.key.clone(), json(&entry.node)))
                    .collect()
            }
            DocumentValue::Null | DocumentValue::Other(_) => Value::Null,
        }
    }

    let schema = json_schema();
    for (name, format) in [
        ("example.toml", Format::Toml),
        ("example.yaml", Format::Yaml),
    ] {
        let text = fs::read_to_string(format!("{FOLDER}/src/config/{name}")).expect(name);
        let node = document::parse(&text, format, &mut Diagnostics::default()).expect(name);
        assert!(is_valid(&schema, &schema, &json(&node)), "{name}");
    }
}

#[test]
fn schema_accepts_valid_files_and_rejects_invalid_ones() {
    let schema = json_schema();
    for valid in [
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
        json!({ "allow": ["10.0.0.0/8"], "deny": ["192.0.2.1"], "trusted_proxies": ["unix"],
            "client_ip_header": "X-Real-IP", "rules": [{
                "networks": ["192.0.2.0/24"],
                "identifier": ["ip", { "cookie": "sid" }],
                "limits": [{ "rate": "1/s", "identifier": ["ip", "header:X-Tenant"] }],
            }] }),
    ] {
        assert!(is_valid(&schema, &schema, &valid), "{valid}");
        // JSON is a subset of YAML 1.2.
        ConfigSpec::parse(&valid.to_string(), Format::Yaml, &[]).expect("a valid file");
    }
    for invalid in [
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
        json!({ "rules": [{ "identifier": ["ip"], "limits": ["1/s"] }] }),
        json!({ "rules": [{ "identifier": ["ip", 7], "limits": ["1/s"] }] }),
        json!({ "rules": [{ "identifier": ["ip", ["ip", "query:a"]], "limits": ["1/s"] }] }),
        json!({ "rules": [{ "networks": "10.0.0.0/8", "limits": ["1/s"] }] }),
        json!({ "deny": [1], "rules": [] }),
        json!({ "skip_preflight": "yes" }),
    ] {
        assert!(!is_valid(&schema, &schema, &invalid), "{invalid}");
    }
}
