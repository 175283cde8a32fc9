//! Limits by name, which a configuration has and changes while the service runs.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

use crate::{
    failure_mode::FailureMode,
    limit::{AnyLimit, Limit},
    status_set::StatusSet,
};

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedLimit {
    pub(crate) limit: AnyLimit,
    pub(crate) options: LimitOptions,
}

/// What is said of a limit beside its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitOptions {
    pub(crate) failure_mode: Option<FailureMode>,
    /// Of a rate.
    pub(crate) refund_on: Option<StatusSet>,
    pub(crate) max_wait: Option<Duration>,
}

impl From<Limit> for NamedLimit {
    fn from(limit: Limit) -> Self {
        Self {
            limit: AnyLimit::Rate(limit),
            options: LimitOptions::default(),
        }
    }
}

/// What all names stand for at one time. Each name has a place of its own for as long as the
/// process runs, so that a request compares no texts.
#[derive(Debug, Default)]
pub(crate) struct NamedLimitTable {
    /// Whose names they are.
    of: u32,
    limits: Vec<Option<NamedLimit>>,
}

/// The names of one configuration: a cheap handle.
#[derive(Clone)]
pub(crate) struct NamedLimits(Arc<SharedTables>);

struct SharedTables {
    /// Tells configurations apart, from 1.
    id: u32,
    register: Mutex<NameIndex>,
    current: ArcSwap<NamedLimitTable>,
}

#[derive(Default)]
struct NameIndex {
    places: HashMap<String, u32>,
    /// Names that somebody uses who has no limit of their own to fall back to.
    required: HashSet<String>,
}

/// Where a name's place is kept once it was looked up, with the configuration it is of.
#[derive(Debug, Default)]
pub(crate) struct CachedIndex(AtomicU64);

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

impl NamedLimits {
    /// No names yet.
    #[cfg_attr(
        not(any(feature = "config", test)),
        expect(dead_code, reason = "nothing else gives limits names")
    )]
    pub(crate) fn new() -> Self {
        Self(Arc::new(SharedTables {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            register: Mutex::default(),
            current: ArcSwap::default(),
        }))
    }

    /// What the names stand for from now on, unless one of those is missing that somebody uses.
    ///
    /// # Errors
    ///
    /// The names that are missing, in order.
    #[cfg_attr(
        not(any(feature = "config", test)),
        expect(dead_code, reason = "nothing else gives limits names")
    )]
    pub(crate) fn replace(
        &self,
        limits: impl IntoIterator<Item = (String, NamedLimit)>,
    ) -> Result<Arc<NamedLimitTable>, Vec<String>> {
        let mut register = self.0.register.lock();
        let limits: HashMap<String, NamedLimit> = limits.into_iter().collect();
        let missing = register.required.iter();
        let missing = missing.filter(|name| !limits.contains_key(*name)).cloned();
        let mut missing: Vec<_> = missing.collect();
        if !missing.is_empty() {
            missing.sort_unstable();
            return Err(missing);
        }
        let mut names = NamedLimitTable {
            of: self.0.id,
            limits: Vec::new(),
        };
        for (name, limit) in limits {
            let place = register.place(&name) as usize;
            if names.limits.len() <= place {
                names.limits.resize(place + 1, None);
            }
            names.limits[place] = Some(limit);
        }
        let names = Arc::new(names);
        // Under the lock: whoever comes to use a name sees these or is among the required ones.
        self.0.current.store(Arc::clone(&names));
        Ok(names)
    }

    /// What the names stand for now.
    pub(crate) fn current(&self) -> Guard<Arc<NamedLimitTable>> {
        self.0.current.load()
    }

    /// Whether these are names of this configuration.
    pub(crate) fn has(&self, names: &NamedLimitTable) -> bool {
        self.0.id == names.of
    }

    /// The place of a name, which is looked up once for each configuration. One that is `required`
    /// cannot be taken away from then on.
    pub(crate) fn index_of(&self, name: &str, required: bool, known: &CachedIndex) -> u32 {
        let kept = known.0.load(Ordering::Relaxed);
        let id = u64::from(self.0.id);
        if kept >> u32::BITS == id {
            #[allow(clippy::cast_possible_truncation, reason = "it is the lower half")]
            return kept as u32;
        }
        let mut register = self.0.register.lock();
        let place = register.place(name);
        if required {
            register.required.insert(name.to_owned());
        }
        known
            .0
            .store(id << u32::BITS | u64::from(place), Ordering::Relaxed);
        place
    }
}

impl NamedLimitTable {
    /// What stands at this place.
    pub(crate) fn get(&self, place: u32) -> Option<&NamedLimit> {
        self.limits.get(place as usize)?.as_ref()
    }
}

impl NameIndex {
    fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        // A file cannot hold so many names.
        let place = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.insert(name.to_owned(), place);
        place
    }
}

impl fmt::Debug for NamedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedLimits").field(&self.0.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_minute(name: &str, times: u32) -> (String, NamedLimit) {
        (name.to_owned(), Limit::per_minute(times).into())
    }

    fn times(names: &NamedLimitTable, place: u32) -> Option<u32> {
        names.get(place).map(|named| named.limit.quota())
    }

    #[test]
    fn a_name_keeps_its_place() {
        let named = NamedLimits::new();
        let (login, late) = (CachedIndex::default(), CachedIndex::default());
        named
            .replace([per_minute("login", 5), per_minute("search", 9)])
            .expect("no use yet");
        let login_at = named.index_of("login", false, &login);
        let late_at = named.index_of("late", false, &late);
        assert_eq!(times(&named.current(), login_at), Some(5));
        assert_eq!(times(&named.current(), late_at), None);
        named
            .replace([per_minute("late", 1), per_minute("login", 6)])
            .expect("none required");
        assert_eq!(named.index_of("login", false, &login), login_at);
        assert_eq!(times(&named.current(), login_at), Some(6));
        assert_eq!(times(&named.current(), late_at), Some(1));
    }

    #[test]
    fn a_place_of_another_configuration_is_looked_up_again() {
        let (one, other) = (NamedLimits::new(), NamedLimits::new());
        let known = CachedIndex::default();
        one.replace([per_minute("a", 1), per_minute("b", 2)])
            .expect("no use yet");
        other.replace([per_minute("b", 3)]).expect("no use yet");
        let here = one.index_of("b", false, &known);
        assert_eq!(times(&one.current(), here), Some(2));
        let there = other.index_of("b", false, &known);
        assert_eq!(times(&other.current(), there), Some(3));
        let here = one.index_of("b", false, &known);
        assert_eq!(times(&one.current(), here), Some(2));
    }

    #[test]
    fn a_name_in_use_cannot_go() {
        let named = NamedLimits::new();
        named
            .replace([per_minute("a", 1), per_minute("b", 2)])
            .expect("no use yet");
        named.index_of("a", true, &CachedIndex::default());
        let place = named.index_of("b", false, &CachedIndex::default());
        let missing = named
            .replace([per_minute("c", 3)])
            .expect_err("`a` is in use");
        assert_eq!(missing, ["a"]);
        assert_eq!(
            times(&named.current(), place),
            Some(2),
            "nothing has changed"
        );
        named.replace([per_minute("a", 4)]).expect("`b` may go");
        assert_eq!(times(&named.current(), place), None);
    }
}
