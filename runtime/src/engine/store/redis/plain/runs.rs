//! The runs of checks of a plain call: checks of one form, whose keys follow each other in the
//! call, are packed as one. The script goes through a run without parsing anything more.

use actix_throttle_core::stored::bytes::push;
use smallvec::SmallVec;

use crate::engine::store::redis::plain::checks::{CheckKind, PlainChecks};

/// The runs, packed, with their number.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    pub(crate) packed: Vec<u8>,
    pub(crate) count: u64,
    /// The number of equal requests behind each check, packed; empty if all are 1.
    pub(crate) requests: Vec<u8>,
}

/// A run that may go on.
#[derive(Debug, Default)]
struct Run {
    form: u32,
    checks: u64,
    /// The index of the first check's key, the step to the next check's, and the cost, for each
    /// limit.
    limits: SmallVec<[(u64, u64, u32); 4]>,
}

impl Runs {
    /// The runs of the checks of which `kept` has some. `key_indexes` has the index of each key in
    /// the call, from 1 as Lua counts.
    pub(crate) fn new(checks: &PlainChecks, kept: &[bool], key_indexes: &[u32]) -> Self {
        let mut requests: SmallVec<[u64; 32]> = SmallVec::from_elem(0, checks.kinds().len());
        for (kind, kept) in checks.checks().iter().zip(kept) {
            if let Some(count) = requests.get_mut(*kind as usize).filter(|_| *kept) {
                *count += 1;
            }
        }
        let counted = checks.kinds().iter().zip(requests);
        let mut counted: SmallVec<[_; 32]> = counted.filter(|(_, count)| *count > 0).collect();
        if !checks.has_shared_keys() {
            // The order of the checks does not matter.
            counted.sort_by_key(|(kind, _)| kind.form);
        }
        let mut runs = Self::default();
        let mut run = Run::default();
        for (kind, _) in &counted {
            if !run.goes_on(checks, kind, key_indexes) {
                runs.push(&run);
                run = Run::new(checks, kind, key_indexes);
            }
        }
        runs.push(&run);
        if counted.iter().any(|(_, count)| *count > 1) {
            for (_, count) in &counted {
                push(&mut runs.requests, *count, 2);
            }
        }
        runs
    }

    fn push(&mut self, run: &Run) {
        if run.checks == 0 {
            return;
        }
        self.count += 1;
        push(&mut self.packed, run.checks, 2);
        push(&mut self.packed, run.limits.len() as u64, 1);
        for (key_index, stride, cost) in &run.limits {
            push(&mut self.packed, *key_index, 2);
            push(&mut self.packed, *stride, 1);
            push(&mut self.packed, (*cost).into(), 4);
        }
    }
}

impl Run {
    fn new(checks: &PlainChecks, kind: &CheckKind, key_indexes: &[u32]) -> Self {
        let limits = checks.of(kind).iter();
        Self {
            form: kind.form,
            checks: 1,
            limits: limits
                .map(|charge| {
                    // A leaky bucket has room for one request, whatever its cost.
                    let is_leaky = checks.is_leaky(charge);
                    (
                        key_index(key_indexes, charge.key),
                        0,
                        if is_leaky { 1 } else { charge.cost },
                    )
                })
                .collect(),
        }
    }

    /// Adds the next check, if it goes on in the run's steps. The second check fixes the steps.
    fn goes_on(&mut self, checks: &PlainChecks, kind: &CheckKind, key_indexes: &[u32]) -> bool {
        if self.checks == 0 || self.form != kind.form {
            return false;
        }
        let is_second = self.checks == 1;
        let mut follows = self
            .limits
            .iter()
            .zip(checks.of(kind))
            .map(|(limit, charge)| {
                let (first, stride, _) = *limit;
                let step = key_index(key_indexes, charge.key).checked_sub(first);
                if is_second {
                    step.is_some_and(|step| step <= 1)
                } else {
                    step == Some(stride * self.checks)
                }
            });
        if !follows.all(|follows| follows) {
            return false;
        }
        if is_second {
            for (limit, charge) in self.limits.iter_mut().zip(checks.of(kind)) {
                limit.1 = key_index(key_indexes, charge.key) - limit.0;
            }
        }
        self.checks += 1;
        true
    }
}

fn key_index(key_indexes: &[u32], key: u32) -> u64 {
    key_indexes.get(key as usize).copied().unwrap_or(0).into()
}

#[cfg(test)]
mod tests;
