//! Scans the keys of one prefix, and reads the entries.

use std::ops::ControlFlow;

use actix_throttle_core::{key::KeySelection, stored::StoredEntry};

use super::read::read;
use crate::{
    arguments::ServerArguments,
    error::CliError,
    output::Progress,
    server::{Node, ScanSummary, Scanned, Servers, scan},
};

/// A scan of the keys of one prefix.
pub(super) struct Scan<'a> {
    pub(super) servers: &'a mut Servers,
    pub(super) arguments: &'a ServerArguments,
    pub(super) progress: &'a Progress,
    /// The zones that count; empty: all.
    pub(super) zones: &'a [String],
}

impl Scan<'_> {
    /// Selects what the zones of this scan hold.
    pub(super) fn selection(&self) -> KeySelection {
        KeySelection::all().in_zones(self.zones.iter().map(String::as_str))
    }

    /// Passes each selected entry to `each`, with the index of its node. An entry may come twice.
    ///
    /// # Errors
    ///
    /// If a server does not reply.
    pub(super) fn entries(
        &mut self,
        selection: &KeySelection,
        mut each: impl FnMut(usize, StoredEntry) -> ControlFlow<()>,
    ) -> Result<ScanSummary, CliError> {
        let prefix = &self.arguments.prefix;
        let mut has_missed = false;
        let visit = |index: usize, node: &mut Node, keys: &[String]| -> Scanned {
            let reading = read(node, prefix, selection, keys)?;
            has_missed |= reading.has_missed();
            for entry in reading.into_entries() {
                if each(index, entry).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        let mut summary = self.keys(selection, visit)?;
        summary.is_complete &= !has_missed;
        Ok(summary)
    }

    /// Passes the keys that may be selected to `visit`, some at a time, with the index of their
    /// node and the node itself. A key may come twice.
    ///
    /// # Errors
    ///
    /// If a server does not reply, and the errors of `visit`.
    pub(super) fn keys(
        &mut self,
        selection: &KeySelection,
        visit: impl FnMut(usize, &mut Node, &[String]) -> Scanned,
    ) -> Result<ScanSummary, CliError> {
        let pattern = selection.scan_pattern(&self.arguments.prefix);
        let max_keys = self.arguments.max_keys;
        let scanned = scan(self.servers, &pattern, max_keys, self.progress, visit);
        self.progress.clear();
        scanned
    }
}
