//! The alert rules for Prometheus.

use super::{holds, repository};
use crate::{
    engine::DecisionResult,
    metrics::table::{
        CIRCUIT, CONFIG_GOOD, CONFIG_HASH, CONFIG_TIME, EVICTIONS, Metric, REQUESTS, STORE_SECONDS,
    },
};

struct Alert {
    name: &'static str,
    expression: String,
    /// The time for which the expression must hold.
    lasting: &'static str,
    severity: &'static str,
    summary: &'static str,
    description: &'static str,
}

#[test]
fn alert_rules_are_those_of_the_table() {
    let Some(path) = repository("ops/alerts.yml") else {
        return;
    };
    let mut text = String::from(
        "# Alert rules for Prometheus, made of the table of metrics: see docs/guide/metrics.md.\n\
         # The thresholds are a starting point. Adjust them to what is normal for your service.\n\
         groups:\n  - name: rate-limits\n    rules:\n",
    );
    for alert in alerts() {
        text += &format!(
            "      - alert: {}\n        expr: >-\n          {}\n        for: {}\n        labels:\n          \
             severity: {}\n        annotations:\n          summary: \"{}\"\n          description: \"{}\"\n",
            alert.name,
            alert.expression,
            alert.lasting,
            alert.severity,
            alert.summary,
            alert.description
        );
    }
    holds(&path, &text);
}

#[test]
fn nothing_allowed_alert_counts_all_admitting_results() {
    let alerts = alerts();
    let alert = alerts
        .iter()
        .find(|alert| alert.name == "RateLimitNothingAllowed");
    let expression = &alert.expect("an alert").expression;
    let (_, after) = expression.split_once("result=~\"").expect("results");
    let (results, _) = after.split_once('"').expect("the end of the results");
    let results: Vec<_> = results.split('|').collect();
    for result in DecisionResult::ALL {
        let is_counted = results.contains(&result.as_str());
        assert_eq!(is_counted, result.is_admitted(), "{}", result.as_str());
    }
}

/// The rate of decisions with these results, by policy. Services may have policies of one name:
/// Prometheus has a `job` for each.
fn rate(results: &[DecisionResult]) -> String {
    let words: Vec<_> = results.iter().map(|result| result.as_str()).collect();
    let words = words.join("|");
    let name = REQUESTS.name;
    format!("sum by (job, policy) (rate({name}{{result=~\"{words}\"}}[5m]))")
}

fn alerts() -> [Alert; 8] {
    use DecisionResult::{Blocked, Denied, TimedOut, UndecidedClosed, UndecidedOpen};
    // A request also goes on if its limit is a shadow, or if the failure mode lets it.
    let admitted = DecisionResult::ALL.into_iter();
    let admitted: Vec<_> = admitted.filter(|result| result.is_admitted()).collect();
    let name = |metric: &Metric| metric.name;
    let all = format!("sum by (job, policy) (rate({}[5m]))", name(&REQUESTS));
    [
        Alert {
            name: "RateLimitCircuitOpen",
            expression: format!(
                "max by (instance) ({}{{state=\"open\"}}) == 1",
                name(&CIRCUIT)
            ),
            lasting: "1m",
            severity: "critical",
            summary: "The store of rate limits has failed",
            description: "The circuit of {{ $labels.instance }} is open: the failure mode decides.",
        },
        Alert {
            name: "RateLimitUndecided",
            expression: format!("{} > 0", rate(&[UndecidedOpen, UndecidedClosed])),
            lasting: "5m",
            severity: "warning",
            summary: "The failure mode decides requests",
            description: "The store does not decide all requests of {{ $labels.policy }}.",
        },
        Alert {
            name: "RateLimitStoreSlow",
            expression: format!(
                "histogram_quantile(0.99, sum by (job, le) (rate({}_bucket[5m]))) > 0.05",
                name(&STORE_SECONDS)
            ),
            lasting: "10m",
            severity: "warning",
            summary: "Redis answers slowly",
            description: "One call in a hundred takes longer than 50 ms; the default deadline is 100 ms.",
        },
        Alert {
            name: "RateLimitDenialsHigh",
            expression: format!(
                "{} / {all} > 0.2 and {} > 1",
                rate(&[Denied, Blocked, TimedOut]),
                rate(&[Denied, Blocked, TimedOut]),
            ),
            lasting: "15m",
            severity: "warning",
            summary: "Many requests are denied",
            description: "{{ $labels.policy }} denies more than a fifth of its requests: an attack, or a limit that is too tight.",
        },
        Alert {
            name: "RateLimitNothingAllowed",
            expression: format!("{} == 0 and {all} > 1", rate(&admitted)),
            lasting: "5m",
            severity: "critical",
            summary: "A limit admits nothing",
            description: "{{ $labels.policy }} has requests and lets none of them go on, not even as a shadow or by the failure mode.",
        },
        Alert {
            name: "RateLimitConfigurationRefused",
            expression: format!("{} == 0 and {} > 0", name(&CONFIG_GOOD), name(&CONFIG_TIME)),
            lasting: "5m",
            severity: "warning",
            summary: "The configuration file of rate limits is invalid",
            description: "{{ $labels.instance }} goes on with the previous file; its log says what is wrong.",
        },
        Alert {
            name: "RateLimitConfigurationDiffers",
            // 0 is the hash of a limiter without a file.
            expression: format!(
                "max by (job) ({0} > 0) != min by (job) ({0} > 0)",
                name(&CONFIG_HASH)
            ),
            lasting: "15m",
            severity: "warning",
            summary: "Processes have different configurations of rate limits",
            description: "{{ $labels.job }}: the file has not reached every process, or a process has rejected it.",
        },
        Alert {
            name: "RateLimitEvictions",
            expression: format!("sum by (instance) (rate({}[5m])) > 0", name(&EVICTIONS)),
            lasting: "15m",
            severity: "warning",
            summary: "The in-memory store of rate limits is full",
            description: "{{ $labels.instance }} evicts counters to make room: raise `max_keys`.",
        },
    ]
}
