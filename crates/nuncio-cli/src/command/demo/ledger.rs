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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nuncio_sandbox::{OperationCounts, ServiceCounts};

    use super::*;

    fn settled(applied: u64) -> Result<Vec<String>, Error> {
        let mut count = OperationCounts::default();
        (count.requests, count.applied) = (3, applied);
        let mut service = ServiceCounts::default();
        service.operations.insert("customers.create".to_owned(), count);
        let ledger = Ledger::default();
        ledger.wanted("stripe", "customers.create", 2);
        ledger.settle(&Counts(BTreeMap::from([("stripe".to_owned(), service)])))
    }

    #[test]
    fn what_was_done_twice_or_not_at_all_fails_the_demo() {
        assert_eq!(settled(2).unwrap().len(), 1);
        for wrong in [1, 3] {
            let told = settled(wrong).unwrap_err().to_string();
            assert!(told.contains(&format!("{wrong} applied of 2 wanted")), "{told}");
        }
    }
}
