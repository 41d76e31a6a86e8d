//! Records that come again on a later page.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;

use crate::json;

use super::Record;
use super::digest::Digest;

/// Among how many records a repeated one is looked for: rows that move while a list is read come again on one of the next pages.
const WINDOW: usize = 65_536;

/// What makes two records the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Identity {
    /// Nothing: repeated records are not looked for.
    None,
    /// Every byte. Only objects are looked at, since in a list of plain values the same one may stand twice.
    #[default]
    Bytes,
    /// What stands at this path.
    Id(json::Path),
}

impl Identity {
    /// Equal for records that are the same; nothing when that cannot be told.
    pub(super) fn digest(&self, record: &Record) -> Option<Digest> {
        let identity = match self {
            Self::None => return None,
            Self::Bytes => record.as_bytes().starts_with(b"{").then(|| record.as_bytes())?,
            Self::Id(path) => record.at(path)?.get().as_bytes(),
        };
        Some(Digest::of(identity))
    }
}

/// The digests of the last records.
#[derive(Debug)]
pub(super) struct Repeats {
    identity: Identity,
    pages: HashMap<Digest, u64, FixedState>,
    order: VecDeque<Digest>,
}

impl Repeats {
    pub(super) fn new(identity: Identity) -> Self {
        Self { identity, pages: HashMap::default(), order: VecDeque::new() }
    }

    /// Whether the record, which is on page `page`, was on another one. On the same page it is no repetition but a list that has it twice.
    pub(super) fn is_repeated(&mut self, record: &Record, page: u64) -> bool {
        let Some(digest) = self.identity.digest(record) else { return false };
        if let Some(earlier) = self.pages.get(&digest) {
            return *earlier != page;
        }
        if self.order.len() == WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.pages.remove(&oldest);
        }
        self.pages.insert(digest, page);
        self.order.push_back(digest);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: String) -> Record {
        Record::checked(json.into())
    }

    #[test]
    fn a_record_is_repeated_only_on_another_page() {
        let mut repeats = Repeats::new(Identity::Bytes);
        let same = record("{\"id\":1}".to_owned());
        assert_eq!([1, 1, 2].map(|page| repeats.is_repeated(&same, page)), [false, false, true]);
        let plain = record("1".to_owned());
        assert_eq!([1, 2].map(|page| repeats.is_repeated(&plain, page)), [false, false]);
    }

    #[test]
    fn an_id_makes_two_records_the_same_whatever_else_changed() {
        let mut repeats = Repeats::new(Identity::Id("id".parse().unwrap()));
        assert!(!repeats.is_repeated(&record("{\"id\":1,\"at\":5}".to_owned()), 1));
        assert!(repeats.is_repeated(&record("{\"id\":1,\"at\":6}".to_owned()), 2));
        assert!(!repeats.is_repeated(&record("{}".to_owned()), 2));
    }

    #[test]
    fn memory_is_bounded() {
        let mut repeats = Repeats::new(Identity::Bytes);
        for id in 0..WINDOW + 10 {
            repeats.is_repeated(&record(format!("{{\"id\":{id}}}")), id as u64);
        }
        assert_eq!((repeats.order.len(), repeats.pages.len()), (WINDOW, WINDOW));
    }
}
