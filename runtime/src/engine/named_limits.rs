//! Named limits: the limits of a configuration that handlers refer to by name. The configuration
//! replaces them while the service runs; rules read them, by index and without a lock.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use actix_throttle_core::limit::NamedLimit;
use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

#[cfg(feature = "config")]
use super::observe::Audience;

/// All named limits of a configuration at one time. A name keeps its index for as long as the
/// process runs, so that a request compares no strings.
#[derive(Debug, Default)]
pub(crate) struct NamedLimitTable {
    /// The id of the configuration that the names belong to.
    of: u32,
    limits: Vec<Option<NamedLimit>>,
}

/// The named limits of one configuration. A cheap handle.
#[derive(Clone)]
pub(crate) struct NamedLimits(Arc<SharedTables>);

struct SharedTables {
    /// The number that tells configurations apart. It is at least 1, because a [`CachedIndex`] of 0
    /// is empty.
    id: u32,
    register: Mutex<NameIndex>,
    current: ArcSwap<NamedLimitTable>,
    #[cfg(feature = "config")]
    audience: Audience,
}

#[derive(Default)]
struct NameIndex {
    indices: HashMap<String, u32>,
    /// The names that a rule without a fallback uses: a reload must not remove them.
    required: HashSet<String>,
}

/// The cached index of a name: the configuration's id in the upper half, the index in the lower. It
/// is relaxed, because the one word is all that is read.
#[derive(Debug, Default)]
pub(crate) struct CachedIndex(AtomicU64);

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

impl NamedLimits {
    /// Creates a configuration without named limits.
    #[cfg_attr(
        not(any(feature = "config", test)),
        expect(dead_code, reason = "nothing else gives limits names")
    )]
    pub(crate) fn new() -> Self {
        Self(Arc::new(SharedTables {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            register: Mutex::default(),
            current: ArcSwap::default(),
            #[cfg(feature = "config")]
            audience: Audience::default(),
        }))
    }

    /// Replaces the named limits, unless a required name that has a limit would lose it. A name
    /// without a limit cannot lose one: a handler with such a name answers 500 as before, and a
    /// correct configuration must not be refused because of it.
    ///
    /// # Errors
    ///
    /// The names that would lose their limits, sorted. Nothing is replaced then.
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
        let current = self.0.current.load();
        let is_lost = |name: &&String| {
            let index = register.indices.get(*name);
            let has_limit = index.is_some_and(|index| current.get(*index).is_some());
            has_limit && !limits.contains_key(*name)
        };
        let missing = register.required.iter().filter(is_lost);
        let mut missing: Vec<_> = missing.cloned().collect();
        if !missing.is_empty() {
            missing.sort_unstable();
            return Err(missing);
        }
        let mut names = NamedLimitTable {
            of: self.0.id,
            limits: Vec::new(),
        };
        for (name, limit) in limits {
            let index = register.index(&name) as usize;
            if names.limits.len() <= index {
                names.limits.resize(index + 1, None);
            }
            names.limits[index] = Some(limit);
        }
        let names = Arc::new(names);
        // The table is stored under the lock: a rule that starts to use a name sees this table, or
        // its name was among the required ones, whose limits stay.
        self.0.current.store(Arc::clone(&names));
        Ok(names)
    }

    /// Returns the observers of the limiters that use this configuration.
    #[cfg(feature = "config")]
    pub(crate) fn audience(&self) -> &Audience {
        &self.0.audience
    }

    /// Returns the current limits.
    pub(crate) fn current(&self) -> Guard<Arc<NamedLimitTable>> {
        self.0.current.load()
    }

    /// Whether `names` belongs to this configuration.
    pub(crate) fn has(&self, names: &NamedLimitTable) -> bool {
        self.0.id == names.of
    }

    /// Returns the index of a name, looked up once for each configuration and cached in `cached`. A
    /// reload cannot remove a `required` name from then on.
    pub(crate) fn index_of(&self, name: &str, required: bool, cached: &CachedIndex) -> u32 {
        let cached_index = cached.0.load(Ordering::Relaxed);
        let id = u64::from(self.0.id);
        if cached_index >> u32::BITS == id {
            #[allow(clippy::cast_possible_truncation, reason = "it is the lower half")]
            return cached_index as u32;
        }
        let mut register = self.0.register.lock();
        let index = register.index(name);
        if required {
            register.required.insert(name.to_owned());
        }
        cached
            .0
            .store(id << u32::BITS | u64::from(index), Ordering::Relaxed);
        index
    }
}

impl NamedLimitTable {
    /// Returns the limit at this index, if its name has one.
    pub(crate) fn get(&self, index: u32) -> Option<&NamedLimit> {
        self.limits.get(index as usize)?.as_ref()
    }
}

impl NameIndex {
    fn index(&mut self, name: &str) -> u32 {
        if let Some(index) = self.indices.get(name) {
            return *index;
        }
        // A file cannot hold so many names.
        let index = u32::try_from(self.indices.len()).unwrap_or(u32::MAX);
        self.indices.insert(name.to_owned(), index);
        index
    }
}

impl fmt::Debug for NamedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedLimits").field(&self.0.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use actix_throttle_core::limit::Limit;

    use super::*;

    fn per_minute(name: &str, times: u32) -> (String, NamedLimit) {
        (name.to_owned(), Limit::per_minute(times).into())
    }

    fn times(names: &NamedLimitTable, index: u32) -> Option<u32> {
        names.get(index).map(|named| named.limit.quota())
    }

    #[test]
    fn name_keeps_its_index() {
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
    fn index_of_another_configuration_is_looked_up_again() {
        let (one, other) = (NamedLimits::new(), NamedLimits::new());
        let cached = CachedIndex::default();
        one.replace([per_minute("a", 1), per_minute("b", 2)])
            .expect("no use yet");
        other.replace([per_minute("b", 3)]).expect("no use yet");
        let here = one.index_of("b", false, &cached);
        assert_eq!(times(&one.current(), here), Some(2));
        let there = other.index_of("b", false, &cached);
        assert_eq!(times(&other.current(), there), Some(3));
        let here = one.index_of("b", false, &cached);
        assert_eq!(times(&one.current(), here), Some(2));
    }

    #[test]
    fn a_name_in_use_cannot_go() {
        let named = NamedLimits::new();
        named
            .replace([per_minute("a", 1), per_minute("b", 2)])
            .expect("no use yet");
        named.index_of("a", true, &CachedIndex::default());
        let index = named.index_of("b", false, &CachedIndex::default());
        let missing = named
            .replace([per_minute("c", 3)])
            .expect_err("`a` is in use");
        assert_eq!(missing, ["a"]);
        assert_eq!(
            times(&named.current(), index),
            Some(2),
            "nothing has changed"
        );
        named.replace([per_minute("a", 4)]).expect("`b` may go");
        assert_eq!(times(&named.current(), index), None);
    }

    #[test]
    fn a_name_that_was_never_there_blocks_no_reload() {
        let named = NamedLimits::new();
        let index = named.index_of("a", true, &CachedIndex::default());
        named
            .replace([per_minute("b", 1)])
            .expect("nothing loses a limit");
        named.index_of("c", true, &CachedIndex::default());
        named
            .replace([per_minute("a", 2)])
            .expect("`a` comes, `c` still is not there");
        assert_eq!(times(&named.current(), index), Some(2));
        let missing = named
            .replace([per_minute("b", 3)])
            .expect_err("`a` is there now, and in use");
        assert_eq!(missing, ["a"]);
    }
}
