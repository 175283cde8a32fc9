//! Replacements of a configuration: by its file as it is now, or by a text.

use std::sync::Arc;

use actix_throttle_core::config::Diff;
use log::Level;
use parking_lot::MutexGuard;

use super::{
    config::{Config, ConfigInner},
    error::ConfigError,
    snapshot::ConfigSnapshot,
    source::Reading,
};
use crate::engine::{ReloadResult, log_throttle::TARGET};

impl Config {
    /// Reads the file again, for all workers at once, and returns what has changed. Counters stay.
    ///
    /// An invalid file changes nothing. Either outcome is logged. It blocks on the file system: in
    /// a handler, call it by `web::block`.
    ///
    /// # Errors
    ///
    /// If [`load`](Self::load) would return one; if all rules are gone and the file does not say
    /// `rules = []`; and if a limit is gone that handlers use by its name without a fallback.
    pub fn reload(&self) -> Result<Diff, ConfigError> {
        // The file is read under the lock: an older reading must not come after a newer one.
        let mut last_read = self.0.last_read.lock();
        last_read.clone_from(&self.0.source.read());
        let replaced = last_read.clone().and_then(|text| self.put_in_force(&text));
        self.ended(last_read, replaced)
    }

    /// Reads the file again if it still reads like this, and unlike before: for the watch.
    pub(super) fn reload_settled(&self, seen: &Reading) {
        let mut last_read = self.0.last_read.lock();
        if *last_read == *seen || self.0.source.read() != *seen {
            return;
        }
        last_read.clone_from(seen);
        if seen
            .as_ref()
            .is_ok_and(|text| *text == self.0.current.load().text)
        {
            return;
        }
        let replaced = seen.clone().and_then(|text| self.put_in_force(&text));
        // The outcome is logged.
        drop(self.ended(last_read, replaced));
    }

    /// Whether the file still reads as it did when it was last put in force or refused.
    pub(super) fn is_last_read(&self, seen: &Reading) -> bool {
        *self.0.last_read.lock() == *seen
    }

    /// Replaces the configuration by a text from elsewhere, in the format of the first, as
    /// [`reload`](Self::reload) does by the file. It stays in force until the file changes, if the
    /// file is watched.
    ///
    /// # Errors
    ///
    /// If the text is invalid, as for [`reload`](Self::reload).
    pub fn replace(&self, text: &str) -> Result<Diff, ConfigError> {
        let last_read = self.0.last_read.lock();
        let replaced = self.put_in_force(text);
        self.ended(last_read, replaced)
    }

    /// Ends a replacement: logs why the configuration stays as it was, and tells the observers
    /// under no lock, because they may use this configuration.
    fn ended(
        &self,
        last_read: MutexGuard<'_, Reading>,
        replaced: Result<Diff, ConfigError>,
    ) -> Result<Diff, ConfigError> {
        if let Err(error) = &replaced {
            log::error!(target: TARGET, "the configuration stays as it was:\n{error}");
            self.0.named_limits.audience().refused(error.to_string());
        }
        drop(last_read);
        self.0.named_limits.audience().tell();
        replaced
    }

    /// Replaces the configuration, unless the text is invalid.
    fn put_in_force(&self, text: &str) -> Result<Diff, ConfigError> {
        let ConfigInner {
            source,
            identifiers,
            named_limits,
            rule_table,
            clients,
            enforcement,
            current,
            ..
        } = &*self.0;
        let old = current.load();
        let (next, rules, settings) =
            ConfigSnapshot::new(text, Some(&old.spec), source, identifiers, named_limits)?;
        let diff = Diff::between(&old.spec, &next.spec);
        rule_table.replace(rules);
        if let Some(warning) = clients.replace(settings) {
            log::warn!(target: TARGET, "{}: {warning}", source.name);
        }
        enforcement.replace(next.spec.enforcement);
        let in_force = next.in_force(source);
        current.store(Arc::new(next));
        let result = if diff.is_empty() {
            log::info!(target: TARGET, "{}: nothing has changed", source.name);
            ReloadResult::Unchanged
        } else {
            ReloadResult::Changed
        };
        let changes = diff.lines().map(str::to_owned).collect();
        named_limits.audience().replaced(in_force, result, changes);
        for (removes, line) in diff.changes() {
            let level = if removes { Level::Warn } else { Level::Info };
            log::log!(target: TARGET, level, "{}: {line}", source.name);
        }
        Ok(diff)
    }
}
