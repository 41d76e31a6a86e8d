//! The verdict on a list, in words.

use nuncio_client::pages::{Completeness, Stop, Verdict};

/// One line such as `complete: 250 records on 3 pages (no next cursor)`.
pub(crate) fn sentence(verdict: &Verdict) -> String {
    let judgement = match verdict.completeness {
        Completeness::Complete => "complete",
        Completeness::Truncated => "cut short as asked",
        Completeness::Incomplete => "incomplete",
        Completeness::Doubtful => "not known to be complete",
    };
    let progress = verdict.progress;
    let records = counted(progress.records, "record");
    let pages = match verdict.stop {
        // Only pages read to their end are counted, and this one was left before.
        Stop::MaxRecords => String::new(),
        _ => format!(" on {}", counted(progress.pages, "page")),
    };
    let expected = progress.expected.map(|total| format!(" of {total}")).unwrap_or_default();
    format!("{judgement}: {records}{expected}{pages} ({})", verdict.stop)
}

/// `1 page`, `2 pages`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use nuncio_client::pages::Progress;

    use super::*;

    #[test]
    fn a_verdict_is_one_line() {
        let progress = Progress { pages: 1, records: 20, repeated: 0, expected: Some(50) };
        assert_eq!(
            sentence(&Verdict::new(Stop::MaxPages, progress)),
            "cut short as asked: 20 records of 50 on 1 page (the bound on pages is reached)"
        );
    }
    #[test]
    fn a_page_left_in_the_middle_is_not_counted() {
        let progress = Progress { pages: 0, records: 5, repeated: 0, expected: None };
        assert_eq!(
            sentence(&Verdict::new(Stop::MaxRecords, progress)),
            "cut short as asked: 5 records (the bound on records is reached)"
        );
    }
}
