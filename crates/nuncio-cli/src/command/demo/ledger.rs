//! What was asked for, held against what the sandbox did.

use std::cell::RefCell;

use nuncio_client::{Error, Kind};
use nuncio_sandbox::Counts;

/// One entry for each operation of the demo: how often its effect was wanted.
#[derive(Debug, Default)]
pub(super) struct Ledger(RefCell<Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    service: &'static str,
    operation: &'static str,
    wanted: u64,
}

impl Ledger {
    /// `operation` was to have its effect `times` times.
    pub(super) fn wanted(&self, service: &'static str, operation: &'static str, times: u64) {
        self.0.borrow_mut().push(Entry { service, operation, wanted: times });
    }

    /// One line for each operation.
    ///
    /// # Errors
    /// Names the operations that were applied more or less often than wanted.
    pub(super) fn settle(&self, counts: &Counts) -> Result<Vec<String>, Error> {
        let mut lines = Vec::new();
        let mut wrong = Vec::new();
        for Entry { service, operation, wanted } in self.0.borrow().iter() {
            let count = counts.operation(service, operation);
            let line = format!(
                "{service} {operation}: {} requests, {} applied of {wanted} wanted, {} replayed by key, {} refused, {} faults",
                count.requests,
                count.applied,
                count.replayed,
                count.refused_by_auth + count.refused_by_limit,
                count.faulted,
            );
            if count.applied != *wanted {
                wrong.push(line.clone());
            }
            lines.push(line);
        }
        if wrong.is_empty() {
            Ok(lines)
        } else {
            Err(Error::new(Kind::Validation, format!("the sandbox counted otherwise: {}", wrong.join("; "))))
        }
    }
}
