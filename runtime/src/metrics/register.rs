//! Registration of series with the recorder of the application. Each handle is registered once and
//! kept; counting then looks nothing up.

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Level, Metadata, Recorder, SharedString, with_recorder,
};

use super::{
    label::MetricLabel,
    table::{ALL, Metric, MetricKind},
};

/// A label that all series of one limiter have, beside those of the table.
pub(super) type CommonLabel = Option<(&'static str, String)>;

/// Registers series, all with the common label.
#[derive(Debug)]
pub(super) struct Registrar {
    common: CommonLabel,
}

static METADATA: Metadata<'static> =
    Metadata::new("actix_throttle", Level::INFO, Some(module_path!()));

impl Registrar {
    /// Creates it, and tells the recorder what each metric means.
    pub(super) fn new(common: CommonLabel) -> Self {
        with_recorder(|recorder| {
            for metric in ALL {
                describe(recorder, metric);
            }
        });
        Self { common }
    }

    pub(super) fn counter(&self, metric: &Metric, values: &[&'static str]) -> Counter {
        let key = self.key(metric, values);
        let counter = with_recorder(|recorder| recorder.register_counter(&key, &METADATA));
        // Some exporters show a series only once it was written to.
        counter.increment(0);
        counter
    }

    pub(super) fn gauge(&self, metric: &Metric, values: &[&'static str]) -> Gauge {
        let key = self.key(metric, values);
        let gauge = with_recorder(|recorder| recorder.register_gauge(&key, &METADATA));
        gauge.increment(0.0);
        gauge
    }

    pub(super) fn histogram(&self, metric: &Metric, values: &[&'static str]) -> Histogram {
        let key = self.key(metric, values);
        with_recorder(|recorder| recorder.register_histogram(&key, &METADATA))
    }

    fn key(&self, metric: &Metric, values: &[&'static str]) -> Key {
        debug_assert_eq!(metric.labels.len(), values.len(), "{}", metric.name);
        let own = metric
            .labels
            .iter()
            .copied()
            .map(MetricLabel::name)
            .zip(values);
        let own = own.map(|(name, value)| metrics::Label::new(name, *value));
        let common = self.common.iter();
        let common = common.map(|(name, value)| metrics::Label::new(*name, value.clone()));
        let labels: Vec<metrics::Label> = own.chain(common).collect();
        Key::from_parts(metric.name, labels)
    }
}

fn describe(recorder: &dyn Recorder, metric: &Metric) {
    let name = KeyName::from_const_str(metric.name);
    let help = SharedString::const_str(metric.help);
    match metric.kind {
        MetricKind::Counter => recorder.describe_counter(name, Some(metric.unit), help),
        MetricKind::Gauge => recorder.describe_gauge(name, Some(metric.unit), help),
        MetricKind::Histogram => recorder.describe_histogram(name, Some(metric.unit), help),
    }
}
