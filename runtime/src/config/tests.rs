//! Tests of the documented examples.

use actix_throttle_core::config::{ConfigSpec, Diff, Format};

#[test]
fn documented_examples_are_valid_and_equal() {
    let parse = |text, format| {
        let spec = ConfigSpec::parse(text, format, &["by_user"]).expect("a valid file");
        assert!(!spec.rules.is_empty());
        spec
    };
    let toml = parse(include_str!("example.toml"), Format::Toml);
    let yaml = parse(include_str!("example.yaml"), Format::Yaml);
    assert_eq!(Diff::between(&toml, &yaml), Diff::default());
}
