//! Names, kinds, labels and buckets: what dashboards and alerts of operators are built on.

use std::path::Path;

use super::holds;
use crate::metrics::table::{ALL, MetricKind};

#[test]
fn names_labels_and_buckets_stay() {
    let mut text = String::new();
    for metric in ALL {
        text += &format!("{} {:?}", metric.name, metric.kind);
        for label in metric.labels {
            text += &format!(" {}={}", label.name(), label.values().join("|"));
        }
        if !metric.buckets.is_empty() {
            text += &format!(" {:?}", metric.buckets);
        }
        text.push('\n');
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    holds(&folder.join("src/metrics/tests/contract.txt"), &text);
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    for (index, metric) in ALL.iter().enumerate() {
        let name = metric.name;
        assert!(name.starts_with("rate_limit_"), "{name}");
        let is_total = name.ends_with("_total");
        assert_eq!(is_total, metric.kind == MetricKind::Counter, "{name}");
        let has_buckets = !metric.buckets.is_empty();
        assert_eq!(has_buckets, metric.kind == MetricKind::Histogram, "{name}");
        assert!(metric.buckets.is_sorted(), "{name}");
        assert!(metric.help.ends_with('.'), "{name}");
        let is_twice = ALL[..index].iter().any(|other| other.name == name);
        assert!(!is_twice, "{name}");
        // An identity is never a label: no label has values that a request brings.
        let free = metric
            .labels
            .iter()
            .filter(|label| label.values().is_empty());
        assert!(free.map(|label| label.name()).all(|name| name == "policy"));
    }
}
