//! The measurements: `raw.json`, and its medians.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    batches::Batch,
    case::{CASES, Case},
    memory::Memory,
    redis_server::Load,
    settings::Settings,
    versions::Versions,
};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) versions: Versions,
    pub(crate) settings: Settings,
    pub(crate) samples: Vec<Sample>,
    pub(crate) memory: Vec<Memory>,
    #[serde(default)]
    pub(crate) batches: Vec<Batch>,
}

/// One run of wrk.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) case: String,
    pub(crate) connections: u32,
    pub(crate) round: u32,
    pub(crate) requests: u64,
    pub(crate) micros: u64,
    /// The median latency, in microseconds.
    pub(crate) p50: u64,
    /// Processor time of the HTTP server, in microseconds.
    pub(crate) cpu: u64,
    /// The work of its Redis server during the run.
    pub(crate) load: Option<Load>,
}

impl Sample {
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds()
    }

    fn seconds(&self) -> f64 {
        self.micros as f64 / 1e6
    }
}

impl Results {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// Returns the measured cases, in the order of the report.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &'static Case> {
        let measured = |case: &&Case| self.samples.iter().any(|sample| sample.case == case.id);
        CASES.iter().filter(measured)
    }

    /// Returns the requests a second.
    pub(crate) fn rate(&self, case: &str, connections: u32) -> Option<f64> {
        median(self.of(case, connections).map(Sample::rate))
    }

    /// Returns the throughput against another case: the median of the rounds' ratios, which cancels
    /// out what slows down a whole round.
    pub(crate) fn ratio(&self, case: &str, other: &str, connections: u32) -> Option<f64> {
        self.in_rounds(case, other, connections, Sample::rate)
    }

    /// Returns the median latency in microseconds.
    pub(crate) fn latency(&self, case: &str, connections: u32) -> Option<f64> {
        median(self.of(case, connections).map(|sample| sample.p50 as f64))
    }

    pub(crate) fn latency_ratio(&self, case: &str, other: &str, connections: u32) -> Option<f64> {
        self.in_rounds(case, other, connections, |sample| sample.p50 as f64)
    }

    /// Returns the commands that Redis ran a second.
    pub(crate) fn commands(&self, case: &str, connections: u32) -> Option<f64> {
        self.of_redis(case, connections, |sample, load| {
            load.commands as f64 / sample.seconds()
        })
    }

    /// Returns the calls of Redis a second: scripts and transactions, each of several commands.
    pub(crate) fn calls(&self, case: &str, connections: u32) -> Option<f64> {
        self.of_redis(case, connections, |sample, load| {
            load.calls as f64 / sample.seconds()
        })
    }

    /// Returns the time of Redis for one script or transaction, in microseconds.
    pub(crate) fn micros_per_call(&self, case: &str, connections: u32) -> Option<f64> {
        self.of_redis(case, connections, |_, load| {
            load.micros as f64 / load.calls as f64
        })
    }

    /// Returns the processor time of the HTTP server for a request, in microseconds.
    pub(crate) fn cpu(&self, case: &str, connections: u32) -> Option<f64> {
        median(
            self.of(case, connections)
                .map(|sample| sample.cpu as f64 / sample.requests as f64),
        )
    }

    /// Returns the processor time of Redis for a request, in microseconds.
    pub(crate) fn cpu_of_redis(&self, case: &str, connections: u32) -> Option<f64> {
        self.of_redis(case, connections, |sample, load| {
            load.cpu as f64 / sample.requests as f64
        })
    }

    /// Returns how many requests one script or transaction decided.
    pub(crate) fn decisions_per_call(&self, case: &str, connections: u32) -> Option<f64> {
        self.of_redis(case, connections, |sample, load| {
            sample.requests as f64 / load.calls as f64
        })
    }

    fn of<'a>(&'a self, case: &'a str, connections: u32) -> impl Iterator<Item = &'a Sample> {
        self.samples
            .iter()
            .filter(move |sample| sample.case == case && sample.connections == connections)
    }

    fn in_rounds(
        &self,
        case: &str,
        other: &str,
        connections: u32,
        figure: impl Fn(&Sample) -> f64,
    ) -> Option<f64> {
        median(self.of(case, connections).filter_map(|sample| {
            let mut others = self.of(other, connections);
            let other = others.find(|other| other.round == sample.round)?;
            Some(figure(sample) / figure(other))
        }))
    }

    fn of_redis(
        &self,
        case: &str,
        connections: u32,
        figure: impl Fn(&Sample, &Load) -> f64,
    ) -> Option<f64> {
        median(
            self.of(case, connections)
                .filter_map(|sample| Some(figure(sample, sample.load.as_ref()?))),
        )
        .filter(|figure| figure.is_finite()) // no call at all
    }
}

fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let (low, high) = (
        figures.get(figures.len().checked_sub(1)? / 2)?,
        figures.get(figures.len() / 2)?,
    );
    Some((low + high) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn median_of_none_odd_and_even() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
    }
}
