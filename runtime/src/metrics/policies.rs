//! [`Policies`]: the series of each policy, found by the address of its name.
//!
//! A limit is `Copy` and has its name as a `&'static str`, whether it stands in an attribute, in a
//! constant, in a file or is made at run time. So the address of the name stands for the policy:
//! one comparison finds the handles, without a hash of the text, a lock or an allocation.

use std::{
    collections::HashMap,
    ptr,
    sync::{Arc, OnceLock},
};

use parking_lot::Mutex;

use super::{policy_series::PolicySeries, register::Registrar};

/// The number of addresses in the table: a power of two. Applications have some dozens of limits.
const ENTRIES: usize = 1024;
/// The number of entries that are looked at for one address. Nearly all names stand in the first
/// one if the table is a quarter full.
const PROBES: usize = 8;
/// 2^64 divided by the golden ratio: Fibonacci hashing spreads addresses that are close together.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

pub(super) struct Policies {
    registrar: Registrar,
    entries: Box<[OnceLock<SeriesEntry>]>,
    /// All policies by their text, which may stand at several addresses. Those that found no free
    /// entry are among them.
    by_name: Mutex<HashMap<&'static str, Arc<PolicySeries>>>,
}

/// An entry of the table: the series of the policy that has its name at this address.
struct SeriesEntry {
    name: &'static str,
    series: Arc<PolicySeries>,
}

impl Policies {
    pub(super) fn new(registrar: Registrar) -> Self {
        Self {
            registrar,
            entries: (0..ENTRIES).map(|_| OnceLock::new()).collect(),
            by_name: Mutex::default(),
        }
    }

    /// Calls `with` with the series of a policy, which are registered if it is new.
    #[inline]
    pub(super) fn with(&self, name: &'static str, with: impl FnOnce(&PolicySeries)) {
        let first = index_of(name);
        for probe in 0..PROBES {
            let entry = &self.entries[(first + probe) % ENTRIES];
            let entry = entry.get_or_init(|| SeriesEntry {
                name,
                series: self.series_of(name),
            });
            if ptr::eq(entry.name, name) {
                return with(&entry.series);
            }
        }
        with(&self.series_of(name));
    }

    fn series_of(&self, name: &'static str) -> Arc<PolicySeries> {
        let mut by_name = self.by_name.lock();
        let series = by_name
            .entry(name)
            .or_insert_with(|| Arc::new(PolicySeries::new(name, &self.registrar)));
        Arc::clone(series)
    }
}

fn index_of(name: &'static str) -> usize {
    let address = name.as_ptr().addr() as u64;
    // The upper ten bits, which a table of `ENTRIES` needs.
    let index = address.wrapping_mul(SPREAD) >> (u64::BITS - ENTRIES.ilog2());
    usize::try_from(index).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_names_than_entries_are_found() {
        let policies = Policies::new(Registrar::new(None));
        let names =
            (0..2 * ENTRIES).map(|number| &*Box::leak(format!("p{number}").into_boxed_str()));
        let names: Vec<&'static str> = names.collect();
        let mut found = 0;
        for _ in 0..2 {
            for name in &names {
                policies.with(name, |_| found += 1);
            }
        }
        assert_eq!(found, 4 * ENTRIES);
        assert_eq!(policies.by_name.lock().len(), 2 * ENTRIES);
    }

    #[test]
    fn text_at_two_addresses_is_one_policy() {
        let policies = Policies::new(Registrar::new(None));
        let name = || &*Box::leak("login".to_owned().into_boxed_str());
        let mut seen = Vec::new();
        for name in [name(), name()] {
            policies.with(name, |series| seen.push(ptr::from_ref(series)));
        }
        assert_eq!(seen[0], seen[1]);
    }
}
