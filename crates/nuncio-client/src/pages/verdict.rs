//! Whether a pull has everything.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Kind};

/// Why no further page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The answer has no next cursor or URL.
    NoCursor,
    /// The answer says that there is no more.
    NoMore,
    /// The page is empty.
    EmptyPage,
    /// The page is short, and the service says that a short page is the last.
    ShortPage,
    /// As many records as the answer's total were read or skipped.
    TotalReached,
    /// The number of pages is reached.
    LastPage,
    /// The operation has no pages.
    SinglePage,
    /// The operation is set up without pages, but the answer links to a next one.
    NextIgnored,
    /// The bound on pages.
    MaxPages,
    /// The bound on records.
    MaxRecords,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCursor => "no next cursor",
            Self::NoMore => "the answer says that there is no more",
            Self::EmptyPage => "an empty page",
            Self::ShortPage => "a short page",
            Self::TotalReached => "the total is reached",
            Self::LastPage => "the number of pages is reached",
            Self::SinglePage => "a single page",
            Self::NextIgnored => "the answer tells of more, but paging is not set up",
            Self::MaxPages => "the bound on pages is reached",
            Self::MaxRecords => "the bound on records is reached",
        })
    }
}

/// What was read so far, resumed runs included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Pages read to their end.
    pub pages: u64,
    /// Records given out.
    pub records: u64,
    /// Those of them that had come on an earlier page.
    pub repeated: u64,
    /// The total that the service told last.
    pub expected: Option<u64>,
}

/// Whether all records were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// The service's own end was reached and nothing contradicts it.
    Complete,
    /// There may be more, and a bound on pages or records asked to leave it.
    Truncated,
    /// There is more.
    Incomplete,
    /// The service's own end was reached, but what came does not add up.
    Doubtful,
}

/// The end of a pull: what came, why it ended, and whether that is everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether that is everything.
    pub completeness: Completeness,
    /// Why no further page was asked for.
    pub stop: Stop,
    /// What came.
    #[serde(flatten)]
    pub progress: Progress,
    /// What speaks against completeness, one sentence each.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// Judges a pull that ended for the reason `stop`.
    ///
    /// Repeated records count once: a list whose rows move while it is read shows one twice and hides another.
    #[must_use]
    pub fn new(stop: Stop, progress: Progress) -> Self {
        let distinct = progress.records - progress.repeated;
        let (completeness, reason) = match (stop, progress.expected) {
            (Stop::MaxPages | Stop::MaxRecords, _) => (Completeness::Truncated, Some(stop.to_string())),
            (Stop::NextIgnored, _) => (Completeness::Incomplete, Some(stop.to_string())),
            (_, Some(total)) if distinct < total => {
                let reason = format!("{distinct} records came of the {total} that the service counts");
                (Completeness::Incomplete, Some(reason))
            }
            (_, Some(total)) if distinct > total => {
                let reason = format!("{distinct} records came, but the service counts {total}");
                (Completeness::Doubtful, Some(reason))
            }
            (_, None) if progress.repeated > 0 => (Completeness::Doubtful, None),
            _ => (Completeness::Complete, None),
        };
        let repeated = (progress.repeated > 0).then(|| {
            format!(
                "{} records came on more than one page: rows moved while they were read",
                progress.repeated
            )
        });
        Self { completeness, stop, progress, reasons: reason.into_iter().chain(repeated).collect() }
    }

    /// The same pull, of which something else is doubtful.
    #[must_use]
    pub(super) fn doubted(mut self, reason: String) -> Self {
        if self.completeness == Completeness::Complete {
            self.completeness = Completeness::Doubtful;
        }
        self.reasons.push(reason);
        self
    }

    /// Fine when everything came, or all that the bounds let through.
    ///
    /// # Errors
    /// [`Kind::Pages`] when the records are not known to be all, with the reasons.
    pub fn check(&self) -> Result<(), Error> {
        let message = match self.completeness {
            Completeness::Complete | Completeness::Truncated => return Ok(()),
            Completeness::Incomplete => "records are missing",
            Completeness::Doubtful => "the records are not known to be complete",
        };
        Err(Error::new(Kind::Pages, format!("{message}: {}", self.reasons.join("; ")))
            .advise("pull again while the list does not change, or page by cursor if the service can"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(stop: Stop, records: u64, repeated: u64, expected: Option<u64>) -> Verdict {
        Verdict::new(stop, Progress { pages: 5, records, repeated, expected })
    }

    #[test]
    fn a_pull_is_complete_only_if_nothing_contradicts_its_end() {
        use Completeness::{Complete, Doubtful, Incomplete, Truncated};
        let table = [
            (Stop::NoCursor, 50, 0, None, Complete),
            (Stop::EmptyPage, 50, 0, Some(50), Complete),
            (Stop::TotalReached, 51, 1, Some(50), Complete),
            (Stop::EmptyPage, 49, 0, Some(50), Incomplete),
            (Stop::TotalReached, 50, 1, Some(50), Incomplete),
            (Stop::NoMore, 51, 0, Some(50), Doubtful),
            (Stop::NoCursor, 50, 1, None, Doubtful),
            (Stop::NextIgnored, 50, 0, None, Incomplete),
            (Stop::MaxPages, 20, 0, Some(50), Truncated),
            (Stop::MaxRecords, 20, 0, None, Truncated),
        ];
        for (stop, records, repeated, expected, completeness) in table {
            let verdict = judge(stop, records, repeated, expected);
            assert_eq!(verdict.completeness, completeness, "{verdict:?}");
            assert_eq!(verdict.check().is_ok(), matches!(completeness, Complete | Truncated), "{verdict:?}");
            assert!(completeness == Complete || !verdict.reasons.is_empty(), "{verdict:?}");
        }
    }

    #[test]
    fn the_error_says_what_is_missing() {
        let error = judge(Stop::EmptyPage, 49, 0, Some(50)).check().unwrap_err();
        assert_eq!(error.kind(), Kind::Pages);
        assert_eq!(
            error.to_string(),
            "records are missing: 49 records came of the 50 that the service counts"
        );
    }

    #[test]
    fn it_is_flat_for_machines() {
        let written = serde_json::to_value(judge(Stop::MaxPages, 20, 0, None)).unwrap();
        let expected = serde_json::json!({
            "completeness": "truncated", "stop": "max_pages", "pages": 5, "records": 20, "repeated": 0,
            "expected": null, "reasons": ["the bound on pages is reached"],
        });
        assert_eq!(written, expected);
    }
}
