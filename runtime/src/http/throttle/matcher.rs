//! The matcher: finds the entries that match a request, in their order. It reads the path, route,
//! method and client, and never decides a rule.

use std::{net::IpAddr, sync::OnceLock};

use actix_web::HttpRequest;
use regex::{Regex, RegexSet, RegexSetBuilder};
use smallvec::SmallVec;

use super::{
    paths::RegexSubject,
    route::{path, pattern},
    route_rules::RouteRules,
};

/// The number of regexes from which on one match of them all together is cheaper than one of each.
const MANY: usize = 4;

/// The most bytes that one compiled regex may take by default. A set of the `regex` crate has one
/// such limit for all of its regexes together.
const SIZE_OF_ONE: usize = 10 * 1024 * 1024;

/// The indices of the entries that match a request.
pub(super) type Matches = SmallVec<[usize; 4]>;

/// The entries in order, and their regexes.
#[derive(Clone, Debug, Default)]
pub(super) struct Matcher {
    entries: Vec<RouteRules>,
    /// The compiled regexes. They are compiled at the first use, when all entries are there.
    sets: OnceLock<Sets>,
    /// Whether an entry is for some clients alone.
    has_networks: bool,
}

#[derive(Clone, Debug)]
struct Sets {
    paths: IndexedRegexes,
    patterns: IndexedRegexes,
}

/// The regexes over one subject.
#[derive(Clone, Debug)]
struct IndexedRegexes {
    /// The indices of the entries that have the regexes.
    indices: Vec<usize>,
    /// The regexes in the order of `indices`; `None` if each is matched by itself.
    regexes: Option<RegexSet>,
}

impl Matcher {
    pub(super) fn entries(&self) -> &[RouteRules] {
        &self.entries
    }

    pub(super) fn push(&mut self, entry: RouteRules) {
        self.has_networks |= entry.paths.has_networks();
        self.entries.push(entry);
        self.sets.take();
    }

    /// Compiles the regexes, so that the first request need not wait for it.
    pub(super) fn prepare(&self) {
        self.sets();
    }

    pub(super) fn matching(&self, request: &HttpRequest) -> Matches {
        let mut matching = Matches::new();
        let Sets { paths, patterns } = self.sets();
        if !paths.indices.is_empty() {
            paths.find(path(request), &self.entries, &mut matching);
        }
        if !patterns.indices.is_empty()
            && let Some(pattern) = pattern(request)
        {
            patterns.find(&pattern, &self.entries, &mut matching);
            matching.sort_unstable();
        }
        matching.retain(|index| self.entries[*index].paths.matches_method(request.method()));
        matching
    }

    /// Drops the entries that are not for this client. `address` is called if one of the entries
    /// depends on it.
    pub(super) fn retain_for_client(
        &self,
        matching: &mut Matches,
        address: impl FnOnce() -> Option<IpAddr>,
    ) {
        if self.has_networks && !matching.is_empty() {
            let address = address();
            matching.retain(|index| self.entries[*index].paths.matches_client(address));
        }
    }

    fn sets(&self) -> &Sets {
        self.sets.get_or_init(|| Sets {
            paths: IndexedRegexes::of(&self.entries, RegexSubject::Path),
            patterns: IndexedRegexes::of(&self.entries, RegexSubject::Pattern),
        })
    }
}

impl IndexedRegexes {
    fn of(entries: &[RouteRules], subject: RegexSubject) -> Self {
        let own = |index: &usize| entries[*index].paths.subject() == subject;
        let indices: Vec<usize> = (0..entries.len()).filter(own).collect();
        if indices.len() < MANY {
            let regexes = None;
            return Self { indices, regexes };
        }
        let regexes = indices
            .iter()
            .map(|index| entries[*index].paths.own_regex());
        // The empty regex matches everything.
        let texts = regexes.map(|regex| regex.map_or("", Regex::as_str));
        let regexes = RegexSetBuilder::new(texts)
            .size_limit(SIZE_OF_ONE.saturating_mul(indices.len()))
            .build();
        // Each regex was compiled before, so the set compiles; otherwise each is matched by itself.
        let regexes = regexes.ok();
        Self { indices, regexes }
    }

    /// Adds the indices of the entries that match this text.
    fn find(&self, text: &str, entries: &[RouteRules], matching: &mut Matches) {
        if let Some(regexes) = &self.regexes {
            let matches = regexes.matches(text);
            matching.extend(matches.iter().map(|index| self.indices[index]));
            return;
        }
        let matches = |index: &usize| {
            let regex = entries[*index].paths.own_regex();
            regex.is_none_or(|regex| regex.is_match(text))
        };
        matching.extend(self.indices.iter().copied().filter(matches));
    }
}
