//! Sparklines: an hour of counts as a small chart, a bar for each minute, as inline SVG.

use std::fmt::Write;

use maud::{Markup, html};

/// The height of the chart, in its own units. A bar is one unit wide, and stands on the bottom.
const HEIGHT: f64 = 24.0;
/// The width of a bar and its gap.
const STEP: f64 = 3.0;
const BAR: f64 = 2.0;

/// One series of a chart, with the class of its bars.
pub(super) struct Series<'a> {
    pub(super) class: &'static str,
    pub(super) minutes: &'a [u64],
}

/// Draws series on top of one another. `label` says in words what the chart shows.
pub(super) fn sparkline(class: &'static str, label: &str, series: &[Series<'_>]) -> Markup {
    let length = series
        .iter()
        .map(|one| one.minutes.len())
        .max()
        .unwrap_or(0);
    let value = |one: &Series<'_>, at: usize| one.minutes.get(at).copied().unwrap_or(0);
    let total = |at: usize| series.iter().map(|one| value(one, at)).sum::<u64>();
    let highest = (0..length).map(total).max().unwrap_or(0).max(1);
    let mut paths = vec![String::new(); series.len()];
    for at in 0..length {
        let mut bottom = HEIGHT;
        for (one, path) in series.iter().zip(&mut paths) {
            let value = value(one, at);
            if value == 0 {
                continue;
            }
            // The bar of a single request among thousands is visible, too.
            let height = (scale(value, highest) * (HEIGHT - 1.0)).max(1.0);
            let (left, top) = (scale_index(at) * STEP, (bottom - height).max(0.0));
            // Writing to a `String` cannot fail.
            let _ = write!(
                path,
                "M{left:.0} {bottom:.1}V{top:.1}h{BAR:.0}V{bottom:.1}z"
            );
            bottom = top;
        }
    }
    let width = scale_index(length) * STEP;
    html! {
        svg class=(format!("spark {class}")) viewBox=(format!("0 0 {width:.0} {HEIGHT:.0}"))
            preserveAspectRatio="none" role="img" aria-label=(label)
        {
            title { (label) }
            path.base d=(format!("M0 {HEIGHT:.0}h{width:.0}")) {}
            @for (one, path) in series.iter().zip(&paths) {
                @if !path.is_empty() {
                    path class=(one.class) d=(path) {}
                }
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "it is a picture")]
fn scale(value: u64, highest: u64) -> f64 {
    value as f64 / highest as f64
}

#[allow(clippy::cast_precision_loss, reason = "it is a picture")]
fn scale_index(index: usize) -> f64 {
    index as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_one_another() {
        let minutes = [0, 3, 1];
        let denied = [0, 1, 0];
        let chart = sparkline(
            "wide",
            "an hour",
            &[
                Series {
                    class: "admitted",
                    minutes: &minutes,
                },
                Series {
                    class: "denied",
                    minutes: &denied,
                },
            ],
        );
        let chart = chart.into_string();
        assert!(
            chart.contains(r#"class="admitted" d="M3 24.0V6.8h2V24.0zM6 24.0V18.2h2V24.0z""#),
            "{chart}"
        );
        assert!(
            chart.contains(r#"class="denied" d="M3 6.8V1.0h2V6.8z""#),
            "{chart}"
        );
        assert!(chart.contains("<title>an hour</title>"));
    }

    #[test]
    fn chart_without_counts_is_empty() {
        let chart = sparkline(
            "",
            "nothing",
            &[Series {
                class: "admitted",
                minutes: &[0; 60],
            }],
        );
        assert!(!chart.into_string().contains("admitted"));
    }
}
