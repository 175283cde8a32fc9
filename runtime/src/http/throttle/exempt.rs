//! The routes that the middleware exempts, and the check that they exist.

use std::{
    collections::HashSet,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_web::{HttpRequest, dev::ResourceMap};
use parking_lot::Mutex;

use super::{route::pattern, routes::find};
use crate::engine::log_throttle::TARGET;

/// The patterns of the routes that are exempt.
#[derive(Debug, Default)]
pub(super) struct Exempt {
    patterns: Vec<String>,
    /// Whether the patterns were looked up among the routes. The ordering is relaxed, because the
    /// flag protects no other data: it only keeps the check from running again.
    is_checked: AtomicBool,
}

/// The patterns that were reported. Each worker may have a middleware of its own; one log line for
/// a pattern is enough.
static REPORTED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

impl Exempt {
    pub(super) fn push(&mut self, pattern: String) {
        self.patterns.push(pattern);
        *self.is_checked.get_mut() = false;
    }

    /// Reports patterns that no route has, at the first request.
    ///
    /// It cannot be done before: Actix gives access to its routes only with a request.
    pub(super) fn check_once(&self, request: &HttpRequest) {
        if self.patterns.is_empty() || self.is_checked.load(Ordering::Relaxed) {
            return;
        }
        if !self.is_checked.swap(true, Ordering::Relaxed) {
            self.report_unknown(request.resource_map());
        }
    }

    /// Whether the request's route is exempt.
    pub(super) fn covers(&self, request: &HttpRequest) -> bool {
        !self.patterns.is_empty()
            && pattern(request).is_some_and(|pattern| self.patterns.contains(&pattern))
    }

    fn report_unknown(&self, routes: &ResourceMap) {
        for pattern in &self.patterns {
            let Err(other) = find(routes, pattern) else {
                continue;
            };
            if !REPORTED.lock().insert(pattern.clone()) {
                continue;
            }
            let hint = match other {
                Some(other) => format!("; did you mean `{other}`?"),
                None => ".".to_owned(),
            };
            log::error!(
                target: TARGET,
                "the exempt pattern \"{pattern}\" exempts nothing: no route of the app has this pattern{hint} \
                 Write it as it was registered, with the prefixes of its scopes"
            );
        }
    }
}

impl Clone for Exempt {
    fn clone(&self) -> Self {
        Self {
            patterns: self.patterns.clone(),
            is_checked: AtomicBool::new(false),
        }
    }
}
