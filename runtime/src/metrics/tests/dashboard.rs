//! The dashboard for Grafana: a panel for each metric.

use serde_json::{Value, json};

use super::{holds, repository};
use crate::metrics::{
    label::MetricLabel,
    table::{ALL, Metric, MetricKind},
};

const SOURCE: &str = "${source}";
/// The columns of a dashboard, and the width and height of a panel.
const COLUMNS: usize = 24;
const WIDTH: usize = 12;
const HEIGHT: usize = 8;

#[test]
fn dashboard_shows_all_metrics() {
    let Some(path) = repository("ops/grafana.json") else {
        return;
    };
    let panels: Vec<Value> = ALL
        .iter()
        .enumerate()
        .map(|(at, one)| panel(at, one))
        .collect();
    let dashboard = json!({
        "title": "Rate limits",
        "uid": "actix-throttle",
        "tags": ["actix-throttle"],
        "schemaVersion": 39,
        "editable": true,
        "refresh": "30s",
        "time": { "from": "now-1h", "to": "now" },
        "templating": { "list": [
            {
                "name": "source",
                "label": "Data source",
                "type": "datasource",
                "query": "prometheus",
            },
            {
                "name": "policy",
                "label": "Policy",
                "type": "query",
                "datasource": { "type": "prometheus", "uid": SOURCE },
                "query": "label_values(rate_limit_requests_total, policy)",
                "includeAll": true,
                "multi": true,
                "allValue": ".*",
                "refresh": 2,
                "current": { "text": "All", "value": "$__all" },
            },
        ]},
        "panels": panels,
    });
    let text = serde_json::to_string_pretty(&dashboard).expect("JSON");
    holds(&path, &format!("{text}\n"));
}

fn panel(at: usize, metric: &Metric) -> Value {
    let columns = COLUMNS / WIDTH;
    json!({
        "id": at + 1,
        "type": "timeseries",
        "title": metric.help.trim_end_matches('.'),
        "description": metric.name,
        "datasource": { "type": "prometheus", "uid": SOURCE },
        "gridPos": {
            "x": at % columns * WIDTH,
            "y": at / columns * HEIGHT,
            "w": WIDTH,
            "h": HEIGHT,
        },
        "fieldConfig": {
            "defaults": { "unit": unit(metric), "min": 0 },
            "overrides": [],
        },
        "targets": targets(metric),
    })
}

fn unit(metric: &Metric) -> &'static str {
    match (metric.kind, metric.name) {
        (MetricKind::Counter, _) => "cps",
        (_, name) if name.ends_with("_ratio") => "percentunit",
        (_, name) if name.ends_with("_timestamp_seconds") => "dateTimeFromNow",
        (_, name) if name.ends_with("_seconds") => "s",
        _ => "short",
    }
}

fn targets(metric: &Metric) -> Vec<Value> {
    let name = metric.name;
    let labels: Vec<&str> = metric.labels.iter().map(|label| label.name()).collect();
    let chosen = if metric.labels.contains(&MetricLabel::Policy) {
        "{policy=~\"$policy\"}"
    } else {
        ""
    };
    let by = labels.join(", ");
    let legend: Vec<String> = labels
        .iter()
        .map(|label| format!("{{{{{label}}}}}"))
        .collect();
    let legend = legend.join(" ");
    let target = |expression: String, legend: String, id: &str| {
        json!({
            "refId": id,
            "datasource": { "type": "prometheus", "uid": SOURCE },
            "expr": expression,
            "legendFormat": legend,
        })
    };
    match metric.kind {
        MetricKind::Counter => {
            let rate = format!("sum by ({by}) (rate({name}{chosen}[$__rate_interval]))");
            vec![target(rate, legend, "A")]
        }
        // A hash or a time is not to be added up.
        MetricKind::Gauge if metric.labels.is_empty() && name.contains("_config_") => {
            vec![target(format!("max({name})"), "max".to_owned(), "A")]
        }
        MetricKind::Gauge => vec![target(
            format!("sum by ({by}) ({name}{chosen})"),
            legend,
            "A",
        )],
        MetricKind::Histogram => {
            let by = ["le"]
                .into_iter()
                .chain(labels)
                .collect::<Vec<_>>()
                .join(", ");
            let quantile = |quantile: &str| {
                format!(
                    "histogram_quantile({quantile}, sum by ({by}) (rate({name}_bucket{chosen}[$__rate_interval])))"
                )
            };
            let label = |quantile: &str| format!("{quantile} {legend}").trim_end().to_owned();
            vec![
                target(quantile("0.5"), label("median"), "A"),
                target(quantile("0.99"), label("99 %"), "B"),
            ]
        }
    }
}
