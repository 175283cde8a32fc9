//! Which entries a request fits, in their order.

use std::sync::OnceLock;

use actix_web::HttpRequest;
use regex::{RegexSet, RegexSetBuilder, SetMatches};
use smallvec::SmallVec;

use super::{
    entry::Entry,
    paths::Subject,
    route::{path, pattern},
};

/// From this many regexes on, one look at a path by all of them together is cheaper than one by each.
const MANY: usize = 4;

/// What one regex may take when compiled, by default. A set of the `regex` crate asks for as much for
/// all of its regexes together.
const SIZE_OF_ONE: usize = 10 * 1024 * 1024;

/// The places of the entries that a request fits.
pub(super) type Fitting = SmallVec<[usize; 4]>;

/// Entries in order, and their regexes.
#[derive(Clone, Debug, Default)]
pub(super) struct Matcher {
    entries: Vec<Entry>,
    /// Made at the first use, when all entries are there.
    sets: OnceLock<Sets>,
}

#[derive(Clone, Debug)]
struct Sets {
    paths: Set,
    patterns: Set,
}

/// The regexes over one subject.
#[derive(Clone, Debug)]
struct Set {
    is_empty: bool,
    /// One for each entry, whatever its subject, so that places are the same; `None` if they are few.
    regexes: Option<RegexSet>,
}

impl Matcher {
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        self.sets.take();
    }

    /// Compiles what the first request would have to wait for.
    pub(super) fn prepare(&self) {
        self.sets();
    }

    pub(super) fn fitting(&self, request: &HttpRequest) -> Fitting {
        let mut fitting = Fitting::new();
        if self.entries.is_empty() {
            return fitting;
        }
        let sets = self.sets();
        let paths = sets.paths.look(|| Some(path(request)));
        let pattern = (!sets.patterns.is_empty)
            .then(|| pattern(request))
            .flatten();
        let patterns = sets.patterns.look(|| pattern.as_deref());
        for (place, entry) in self.entries.iter().enumerate() {
            let seen = match entry.paths.subject() {
                Subject::Path => &paths,
                Subject::Pattern => &patterns,
            };
            if entry.paths.fits_method(request.method()) && seen.fits(place, entry) {
                fitting.push(place);
            }
        }
        fitting
    }

    fn sets(&self) -> &Sets {
        self.sets.get_or_init(|| Sets {
            paths: Set::of(&self.entries, Subject::Path),
            patterns: Set::of(&self.entries, Subject::Pattern),
        })
    }
}

/// One subject of one request, seen by the regexes.
enum Seen<'a> {
    Nothing,
    ByAll(SetMatches),
    ByEach(&'a str),
}

impl Set {
    fn of(entries: &[Entry], subject: Subject) -> Self {
        let own = |entry: &&Entry| entry.paths.subject() == subject;
        let count = entries.iter().filter(own).count();
        let texts = entries.iter().map(|entry| match entry.paths.own_regex() {
            Some(regex) if own(&entry) => regex.as_str(),
            // Of the other subject, or for all paths: the one is not asked, the other fits.
            _ => "",
        });
        let regexes = RegexSetBuilder::new(texts)
            .size_limit(SIZE_OF_ONE.saturating_mul(count))
            .build();
        Self {
            is_empty: count == 0,
            // Each of them was compiled before, so this does not fail; if it did, each can be asked.
            regexes: regexes.ok().filter(|_| count >= MANY),
        }
    }

    fn look<'a>(&self, subject: impl FnOnce() -> Option<&'a str>) -> Seen<'a> {
        if self.is_empty {
            return Seen::Nothing;
        }
        match (&self.regexes, subject()) {
            (_, None) => Seen::Nothing,
            (Some(regexes), Some(text)) => Seen::ByAll(regexes.matches(text)),
            (None, Some(text)) => Seen::ByEach(text),
        }
    }
}

impl Seen<'_> {
    fn fits(&self, place: usize, entry: &Entry) -> bool {
        match self {
            Self::Nothing => false,
            Self::ByAll(matches) => matches.matched(place),
            Self::ByEach(text) => entry
                .paths
                .own_regex()
                .is_none_or(|regex| regex.is_match(text)),
        }
    }
}
