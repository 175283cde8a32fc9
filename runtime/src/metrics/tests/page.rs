//! The tables of the guide's page about metrics.

use std::{fs, path::Path};

use super::holds;
use crate::metrics::{label::MetricLabel, table::ALL};

const BEGIN: &str = "<!-- From the table of the code; do not edit. -->\n";
const END: &str = "<!-- Until here. -->\n";

#[test]
fn page_of_the_guide_has_all_metrics() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("guide/metrics.md");
    let page = fs::read_to_string(&path).expect("a page");
    let (before, rest) = page.split_once(BEGIN).expect("the beginning of the tables");
    let (_, after) = rest.split_once(END).expect("the end of the tables");
    holds(&path, &format!("{before}{BEGIN}{}{END}{after}", tables()));
}

fn tables() -> String {
    let mut text = String::from("\n| metric | kind | labels | meaning |\n|---|---|---|---|\n");
    for metric in ALL {
        let kind = format!("{:?}", metric.kind).to_lowercase();
        let labels = metric
            .labels
            .iter()
            .map(|label| format!("`{}`", label.name()));
        let labels = labels.collect::<Vec<_>>().join(", ");
        let mut help = metric.help.to_owned();
        if !metric.buckets.is_empty() {
            let bounds: Vec<_> = metric.buckets.iter().map(f64::to_string).collect();
            help += &format!(" Buckets: {}.", bounds.join(", "));
        }
        text += &format!("| `{}` | {kind} | {labels} | {help} |\n", metric.name);
    }
    text += "\n| label | of | values |\n|---|---|---|\n";
    let mut seen: Vec<MetricLabel> = Vec::new();
    for metric in ALL {
        for label in metric.labels {
            if label.values().is_empty() || seen.contains(label) {
                continue;
            }
            seen.push(*label);
            let users = ALL
                .iter()
                .filter(|metric| metric.labels.contains(label))
                .map(|metric| format!("`{}`", metric.name));
            let users = users.collect::<Vec<_>>().join(", ");
            let values = label.values();
            let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            text += &format!("| `{}` | {users} | {} |\n", label.name(), values.join(" "));
        }
    }
    text.push('\n');
    text
}
