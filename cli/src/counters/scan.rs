//! Scans the keys of one prefix, and reads the entries.

use std::ops::ControlFlow;

use actix_throttle_core::zone::written;

use super::{entry::Entry, read::read};
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
    /// Passes each entry whose key matches the pattern to `each`, with the index of its node. An
    /// entry may come twice.
    ///
    /// # Errors
    ///
    /// If a server does not reply.
    pub(super) fn entries(
        &mut self,
        pattern: &str,
        mut each: impl FnMut(usize, Entry) -> ControlFlow<()>,
    ) -> Result<ScanSummary, CliError> {
        let prefix = &self.arguments.prefix;
        // Keys have letters in place of a long path.
        let zones: Vec<String> = self.zones.iter().map(|zone| written(zone)).collect();
        let visit = |index: usize, node: &mut Node, keys: &[String]| -> Scanned {
            for entry in read(node, prefix, keys)? {
                let counts = zones.is_empty() || zones.contains(&entry.zone);
                if counts && each(index, entry).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        let max_keys = self.arguments.max_keys;
        let scanned = scan(self.servers, pattern, max_keys, self.progress, visit);
        self.progress.clear();
        scanned
    }
}
