//! The JSON schema of the configuration file, for editors, made of the table of arguments. The
//! tests keep `throttle.schema.json` equal to it.
//!
//! It cannot say all that a file is checked for, and never forbids a valid file. After a change,
//! `THROTTLE_SCHEMA=write cargo test -p actix-throttle-core --features config schema` writes it
//! anew.

#[cfg(test)]
mod tests;
#[cfg(test)]
mod validator;

use serde_json::{Map, Value, json};

use crate::vocabulary::{ARGUMENTS, Argument, Scope, ValueKind};

const LIMIT_NAME: &str = "^[A-Za-z][A-Za-z0-9_.-]*$";
const RATE: &str = "^\\s*[0-9_]+\\s*(/|per)";

/// Returns the JSON schema of the file.
#[doc(hidden)]
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = table(&[Scope::File]);
    let root = [
        (
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title", json!("Throttle")),
        (
            "description",
            json!(
                "Rules and named limits of actix-throttle\n\nRead by `Config::load`; what it says is \
                 checked further there."
            ),
        ),
        // A file with neither rules nor limits may have been cut off.
        (
            "anyOf",
            json!([
                { "required": ["rules"] },
                { "required": ["limits"], "properties": { "limits": { "minProperties": 1 } } },
            ]),
        ),
        ("$defs", definitions()),
    ];
    for (key, value) in root {
        schema[key] = value;
    }
    schema
}

fn definitions() -> Value {
    json!({
        "NamedLimit": {
            "description": "A limit: a rate, or a table. With `max` it is a concurrency limit.",
            "anyOf": [{ "$ref": "#/$defs/Rate" }, { "$ref": "#/$defs/LimitTable" }],
        },
        "Rate": {
            "description": "`100/minute`, `5 per 10 seconds`",
            "type": "string",
            "pattern": RATE,
        },
        "LimitTable": table(&[Scope::Rate, Scope::Concurrency]),
        "Rule": table(&[Scope::Rule]),
        "RuleLimit": {
            "description": "A rate, the name of a limit, or a table.",
            "anyOf": [{ "type": "string" }, { "$ref": "#/$defs/RuleLimitTable" }],
        },
        "RuleLimitTable": table(&[Scope::RuleLimit, Scope::Rate, Scope::Concurrency]),
        "Identifier": {
            "description": "`ip`, `header:X-Api-Key`, or a table.",
            "anyOf": [{ "type": "string" }, { "$ref": "#/$defs/IdentifierTable" }],
        },
        "IdentifierTable": table(&[Scope::Identifier]),
    })
}

/// Returns the schema of a table that has the keys of these scopes, and no others.
fn table(scopes: &[Scope]) -> Value {
    let is_there = |argument: &&&Argument| scopes.iter().any(|scope| argument.is_in(*scope));
    let properties = ARGUMENTS
        .iter()
        .filter(is_there)
        .map(|argument| (argument.name.to_owned(), property(argument)));
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

fn property(argument: &Argument) -> Value {
    let mut schema = match &argument.kind {
        ValueKind::Count(range) => {
            json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() })
        }
        ValueKind::Flag => json!({ "type": "boolean" }),
        ValueKind::Text
        | ValueKind::Duration(_)
        | ValueKind::Micros(_)
        | ValueKind::StatusSet
        | ValueKind::Path => {
            json!({ "type": "string" })
        }
        ValueKind::Word(words) => json!({ "type": "string", "enum": words() }),
        ValueKind::Rate => json!({ "$ref": "#/$defs/Rate" }),
        ValueKind::Identifier => json!({
            "anyOf": [
                { "$ref": "#/$defs/Identifier" },
                { "type": "array", "items": { "$ref": "#/$defs/Identifier" }, "minItems": 2 },
            ],
        }),
        ValueKind::LimitName => json!({ "type": "string", "pattern": LIMIT_NAME }),
        ValueKind::Texts | ValueKind::Networks => list(json!({ "type": "string" })),
        ValueKind::Words(words) => list(json!({ "type": "string", "enum": words })),
        ValueKind::Limits => json!({
            "type": "object",
            "additionalProperties": false,
            "patternProperties": { LIMIT_NAME: { "$ref": "#/$defs/NamedLimit" } },
        }),
        ValueKind::Rules => list(json!({ "$ref": "#/$defs/Rule" })),
        ValueKind::RuleLimits => list(json!({ "$ref": "#/$defs/RuleLimit" })),
    };
    schema["description"] = json!(description(argument));
    schema
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn description(argument: &Argument) -> String {
    let Argument { default, doc, .. } = argument;
    if !argument.is_default_in_file {
        return (*doc).to_owned();
    }
    // A default of several words is prose, and any other a value.
    if default.contains(' ') || *default == "all" {
        format!("{doc} Default: {default}.")
    } else {
        format!("{doc} Default: `{}`.", default.trim_matches('"'))
    }
}
