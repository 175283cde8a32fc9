//! Every kind of diagnostic with its position, and all diagnostics of a file at once.

mod limits;
mod rules;

use actix_throttle::{Config, ConfigError, config::Format};
use actix_web::HttpRequest;

fn error(text: &str, format: Format) -> ConfigError {
    fn by_user(_: &HttpRequest) -> &'static str {
        "ann"
    }
    let config = Config::builder().identifier("by_user", by_user);
    config.parse(text, format).expect_err(text)
}

/// The diagnostics as `line:column: reason`.
fn lines(text: &str, format: Format) -> Vec<String> {
    let error = error(text, format);
    error
        .diagnostics()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Texts, each with the position of a diagnostic and a part of its message.
type Rows<'a> = &'a [(&'a str, &'a str, &'a str)];

fn told(rows: Rows<'_>, format: Format) {
    for (text, position, words) in rows {
        let lines = lines(text, format);
        let is_told =
            |line: &String| line.starts_with(&format!("{position}: ")) && line.contains(words);
        assert!(
            lines.iter().any(is_told),
            "{text}\n{position}: {words}\n{lines:#?}"
        );
    }
}

#[test]
fn yaml_has_the_same_errors_at_its_own_positions() {
    let rows = [
        ("limts: {}", "1:1", "did you mean `limits`?"),
        (
            "limits:\n  login: 1/fortnight",
            "2:10",
            "unknown unit of time",
        ),
        (
            "limits:\n  login:\n    rate: 5/minute\n    blok: 60s",
            "4:5",
            "did you mean `block`?",
        ),
        ("limits:\n  login:", "2:8", "a table, not nothing"),
        (
            "rules:\n  - path: ^/(\n    limits: [1/s]",
            "2:11",
            "is not a regex",
        ),
        (
            "rules:\n- limits:\n  - rate: 1/s\n    group: pro\n    tiems: 4",
            "5:5",
            "unknown key `tiems`",
        ),
        ("limits:\n  a: 1/s\n  a: 2/s", "3:3", "duplicated key"),
        (
            "limits:\n  a:\n    max: 5\n    expiry: 30",
            "4:13",
            "write `expiry = \"30s\"`",
        ),
        (
            "limits:\n  a: { max: 5, rate: 1/s }",
            "2:16",
            "`max` makes this a concurrency limit, which has no use for `rate`",
        ),
        (
            "rules:\n- limits: [1/s]\n  max_wait: 0s",
            "3:13",
            "`max_wait` must be from 1 millisecond to 24 hours",
        ),
        ("limits: [", "1:10", ""),
    ];
    told(&rows, Format::Yaml);
}

#[test]
fn all_errors_of_a_file_are_reported_in_its_order() {
    let text = "\
[limits.login]
rate = '5/minuet'
algorithm = 'leeky_bucket'
capacity = 0
flavour = 'sweet'

[[rules]]
path = '^/('
methods = ['GTE']
limits = ['login', 'logout', { rate = '1/s', group = 5 }]
";
    let error = error(text, Format::Toml);
    let positions: Vec<_> = error
        .diagnostics()
        .iter()
        .map(|diagnostic| (diagnostic.line(), diagnostic.column()))
        .collect();
    let expected = [
        (2, 8),
        (3, 13),
        (4, 12),
        (5, 1),
        (8, 8),
        (9, 12),
        (10, 20),
        (10, 54),
    ];
    assert_eq!(positions, expected, "{error}");
    assert!(error.is_invalid() && !error.is_unreadable());
    let first = error.to_string();
    let first = first.lines().next().expect("a line");
    assert!(
        first.starts_with("configuration:2:8: unknown unit of time `minuet`"),
        "{first}"
    );
}

#[test]
fn text_after_a_syntax_error_is_checked_too() {
    let lines = lines("limits.a = \nlimits.b = '1/x'\n", Format::Toml);
    assert!(lines.len() >= 2, "{lines:#?}");
    assert!(lines[0].starts_with("1:"), "{lines:#?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("2:12: unknown unit")),
        "{lines:#?}"
    );
}
