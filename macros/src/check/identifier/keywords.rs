//! The identifiers that have a keyword in the attribute.

/// The identifiers without an argument.
pub(crate) const PLAIN: [&str; 2] = ["ip", "global"];
/// The identifiers with a name, each with an example of it.
pub(crate) const NAMED: [(&str, &str); 4] = [
    ("header", "X-Api-Key"),
    ("cookie", "sid"),
    ("path", "id"),
    ("query", "tenant"),
];
/// All identifiers in correct form, for messages.
pub(crate) const VALID: [&str; 6] = [
    "ip",
    "global",
    "header(\"X-Api-Key\")",
    "cookie(\"sid\")",
    "path(\"id\")",
    "query(\"tenant\")",
];
