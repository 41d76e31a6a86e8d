//! Records that come again on a later page.

use crate::json;

use super::Record;
use super::digest::Digest;

/// Among how many records a repeated one is looked for: rows that move while a list is read come again on one of the next pages.
const WINDOW: usize = 65_536;

/// How many of them share a row of the table.
const WAYS: usize = 8;

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

/// The digests of the last records, in a table of rows as long as a line of the processor's cache, so that a record costs one look at
/// memory that is far away. A digest belongs to one row, where the newest push out the oldest: of records that come again after ten
/// thousand others, fewer than one in a thousand is missed.
#[derive(Debug)]
pub(super) struct Repeats {
    identity: Identity,
    rows: Vec<Row>,
}

/// Each entry is the upper bits of a digest with the lower bits of the number of the page; the row stands for more bits of the digest.
type Row = [u64; WAYS];

const PAGE_BITS: u64 = 0xFFFF;

impl Repeats {
    pub(super) fn new(identity: Identity) -> Self {
        Self { identity, rows: Vec::new() }
    }

    /// Whether the record, which is on page `page`, was on another one. On the same page it is no repetition but a list that has it twice.
    pub(super) fn is_repeated(&mut self, record: &Record, page: u64) -> bool {
        let Some(digest) = self.identity.digest(record) else { return false };
        if self.rows.is_empty() {
            // Zeroes, which cost no memory until they are written over.
            self.rows = vec![[0; WAYS]; WINDOW / WAYS];
        }
        let index = digest.bits() as usize % self.rows.len();
        let entry = digest.bits() & !PAGE_BITS | page & PAGE_BITS;
        let row = &mut self.rows[index];
        if let Some(earlier) = row.iter().find(|seen| (**seen ^ entry) & !PAGE_BITS == 0) {
            return *earlier != entry;
        }
        row.rotate_right(1);
        row[0] = entry;
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
    fn a_repeated_record_is_found_among_the_last_ten_thousand_and_memory_is_bounded() {
        let mut repeats = Repeats::new(Identity::Bytes);
        let numbered = |id: usize| record(format!("{{\"id\":{id}}}"));
        let found = (0..5 * WINDOW)
            .filter(|id| {
                let page = 1 + (id / 100) as u64;
                assert!(!repeats.is_repeated(&numbered(*id), page), "{id} is new");
                *id >= 10_000 && repeats.is_repeated(&numbered(id - 10_000), page)
            })
            .count();
        let share = found as f64 / (5 * WINDOW - 10_000) as f64;
        assert!(share > 0.999, "{share}");
        assert_eq!(repeats.rows.len() * WAYS, WINDOW);
    }
}
