//! The JSON schema of the configuration file, for editors. The tests keep `throttle.schema.json`
//! equal to it.
//!
//! It cannot say all that a file is checked for, and never forbids a valid file. After a change,
//! `THROTTLE_SCHEMA=write cargo test -p actix-throttle --features config schema` writes it anew.

use std::collections::BTreeMap;

use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform},
};
use serde_json::{Value, json};

mod tests;

/// Rules and named limits of actix-throttle
///
/// Read by `Config::load`; what it says is checked further there.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("anyOf" = rules_or_limits()))]
#[expect(dead_code, reason = "only what it looks like matters")]
struct Throttle {
    /// Limits by name, for rules and for handlers (`#[rate_limit(limit = "login")]`). All that name
    /// a limit share its counter.
    limits: Option<BTreeMap<LimitName, NamedLimit>>,
    /// The first rule that matches a request and has a limit for its group decides. Without rules,
    /// write `rules = []`: a file with neither rules nor limits counts as one that was cut off.
    rules: Option<Vec<Rule>>,
    /// Patterns of exempt routes, as they were registered: `/user/{id}`.
    exempt: Option<Vec<String>>,
    /// Leave CORS preflights alone.
    skip_preflight: Option<bool>,
}

/// Requires rules or limits: a file with neither may have been cut off.
fn rules_or_limits() -> Value {
    json!([
        { "required": ["rules"] },
        { "required": ["limits"], "properties": { "limits": { "minProperties": 1 } } },
    ])
}

#[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
struct LimitName(#[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9_.-]*$"))] String);

/// A limit: a rate, or a table. With `max` it is a concurrency limit.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only what it looks like matters")]
enum NamedLimit {
    Rate(Rate),
    Table(Box<LimitTable>),
}

/// `100/minute`, `5 per 10 seconds`
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only what it looks like matters")]
struct Rate(#[schemars(regex(pattern = "^\\s*[0-9_]+\\s*(/|per)"))] String);

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only what it looks like matters")]
struct LimitTable {
    #[schemars(flatten)]
    numbers: Numbers,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only what it looks like matters")]
struct Numbers {
    /// Times and window in one: `100/minute`.
    rate: Option<Rate>,
    /// Admissions per window.
    times: Option<Count>,
    /// The window; lengths of several units are added up.
    milliseconds: Option<Count>,
    seconds: Option<Count>,
    minutes: Option<Count>,
    hours: Option<Count>,
    days: Option<Count>,
    algorithm: Option<Algorithm>,
    /// `token_bucket`: the burst size. Default: `times`.
    capacity: Option<Count>,
    refill: Option<Refill>,
    /// Cost of one request. Default: 1.
    cost: Option<Count>,
    /// The policy's name in headers, metrics and logs.
    name: Option<String>,
    /// Limits of one zone share a counter.
    zone: Option<String>,
    /// Once exceeded, deny everything for that long: `60s`, `1h 30m`.
    block: Option<String>,
    /// Lease this many from Redis at once and serve them locally; from 2.
    lease: Option<Count>,
    /// Count and report, never deny.
    shadow: Option<bool>,
    /// Responses with these statuses are not counted: `5xx, 404`.
    refund_on: Option<String>,
    /// A concurrency limit, in place of a rate: so many permits. A request holds one until its
    /// response's body has been sent.
    max: Option<Places>,
    /// With `max`: how long a permit lasts without renewal, 100 ms to 24 h. Default: `30s`.
    expiry: Option<String>,
    max_wait: Option<MaxWait>,
    failure_mode: Option<FailureMode>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only what it looks like matters")]
struct Count(#[schemars(range(min = 1, max = 1_000_000_000))] u32);

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only what it looks like matters")]
struct Places(#[schemars(range(min = 1, max = 1_000_000))] u32);

/// Longest time that a request waits for room, instead of being denied: `500ms`, 1 ms to 24 h.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only what it looks like matters")]
struct MaxWait(String);

/// How admissions are counted. Default: `sliding_window`.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only what it looks like matters")]
enum Algorithm {
    SlidingWindow,
    SlidingWindowCounter,
    FixedWindow,
    TokenBucket,
    LeakyBucket,
}

/// `token_bucket`: continuously, or `times` tokens at each window's end. Default: `greedy`.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only what it looks like matters")]
enum Refill {
    Greedy,
    Interval,
}

/// What happens to requests that the store cannot decide. Default: the limiter's.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only what it looks like matters")]
enum FailureMode {
    Open,
    Closed,
    Local,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only what it looks like matters")]
struct Rule {
    /// A regex over the path. Neither this nor `pattern`: all requests.
    path: Option<String>,
    /// A regex over the pattern of the route: `^/user/\{id\}$`.
    pattern: Option<String>,
    /// Default: all.
    methods: Option<Vec<Method>>,
    /// Name of its limits, under which they count. Default: the methods and the regex.
    name: Option<String>,
    /// Count and report, never deny; the search for the rule that decides goes on.
    shadow: Option<bool>,
    /// What requests are counted by, for limits without an identifier of their own.
    identifier: Option<Identifier>,
    /// Longest time that a request waits for room, for limits without a `max_wait` of their own.
    max_wait: Option<MaxWait>,
    /// Its requests are not limited.
    exempt: Option<bool>,
    /// All of them must have room, in one decision.
    limits: Option<Vec<LimitSpec>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "only what it looks like matters")]
enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Trace,
    Connect,
}

/// A rate, the name of a limit, or a table.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only what it looks like matters")]
enum LimitSpec {
    Text(String),
    Table(Box<ShareTable>),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only what it looks like matters")]
struct ShareTable {
    /// The name of a limit, in place of numbers.
    limit: Option<LimitName>,
    /// Applies to identities of this group, in place of the limits without one.
    group: Option<String>,
    /// That group is not limited.
    unlimited: Option<bool>,
    identifier: Option<Identifier>,
    #[schemars(flatten)]
    numbers: Numbers,
}

/// What a limit counts by: `ip`, `global`, `header:X-Api-Key`, `cookie:sid`, `query:tenant`, or
/// a name that the application has given to a function. Default: the limiter's.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only what it looks like matters")]
enum Identifier {
    Text(String),
    Table(IdentifierTable),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only what it looks like matters")]
struct IdentifierTable {
    header: Option<String>,
    cookie: Option<String>,
    query: Option<String>,
}

fn derived() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Throttle>();
    RecursiveTransform(without_null).transform(&mut schema);
    schema.into()
}

/// Removes `null`: a key may be absent, not null.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [kind] = &types[..] {
            let kind = kind.clone();
            schema.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice != &json!({ "type": "null" }));
        if let [Value::Object(only)] = &choices[..] {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.insert(key, value);
            }
        }
    }
}
