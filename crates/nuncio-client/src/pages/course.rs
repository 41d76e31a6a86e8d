//! How far a pull is, and whether what comes next makes sense. No input or output here.

use std::collections::HashSet;

use crate::{Error, Kind, Request, json};

use super::digest::Digest;
use super::fetch::url_of;
use super::origin::Origins;
use super::repeats::Repeats;
use super::strategy::Known;
use super::{Next, PageView, Pages, Place, Position, Progress, Record, Stop, Strategy};

/// Number of empty pages in a row, each with another one behind it, after which nobody waits for a record any more.
const MAX_EMPTY_PAGES: u64 = 1000;

pub(super) struct Course {
    pub(super) pages: Pages,
    pub(super) progress: Progress,
    known: Known,
    first: Position,
    /// Whether the list is read from its beginning, so that the service's total is what should come.
    is_whole: bool,
    origins: Origins,
    /// Digests of the cursors and URLs that were asked for: 8 bytes a page.
    seen: HashSet<Digest>,
    repeats: Repeats,
    empty_pages: u64,
    /// Digest of the last page that had records.
    last_page: Option<Digest>,
}

impl Course {
    /// The course that starts, or started, with `request`.
    pub(super) fn new(mut pages: Pages, request: &Request, progress: Progress) -> Result<Self, Error> {
        pages.settle_size(request);
        let own = url_of(request)?;
        let begins_at = pages.strategy.param().and_then(|param| param.get(request));
        let first = begins_at.clone().unwrap_or_else(|| own.to_string());
        Ok(Self {
            first: pages.first(request)?,
            is_whole: begins_at.is_none(),
            origins: Origins::new(own, pages.trusted_origins.clone()),
            repeats: Repeats::new(pages.identity.clone()),
            pages,
            progress,
            known: Known::default(),
            seen: HashSet::from([Digest::of(first.as_bytes())]),
            empty_pages: 0,
            last_page: None,
        })
    }

    /// Notes where a resumed pull goes on.
    pub(super) fn goes_on_at(&mut self, position: &Position) {
        self.seen.extend(fingerprint(position));
    }

    /// Counts records of the page that is being read.
    pub(super) fn count(&mut self, records: &[Record]) {
        let page = self.progress.pages + 1;
        self.progress.records += records.len() as u64;
        let repeated = records.iter().filter(|record| self.repeats.is_repeated(record, page)).count();
        self.progress.repeated += repeated as u64;
    }

    /// Where to go on after the page at `position`, whose records are counted and have `digest`.
    pub(super) fn after(
        &mut self,
        position: &Position,
        page: &PageView<'_>,
        digest: Digest,
    ) -> Result<Next, Error> {
        self.progress.pages += 1;
        self.learn(position, page);
        self.refuse_repeated_page(page, digest)?;
        let next = self.pages.next(position, page)?;
        if let Next::At(position) = &next {
            self.refuse_astray(position)?;
            self.refuse_endless(page)?;
        }
        Ok(next)
    }

    /// The bound that is reached.
    pub(super) fn bound(&self) -> Option<Stop> {
        if self.pages.max_pages.is_some_and(|max| self.progress.pages >= max.get()) {
            return Some(Stop::MaxPages);
        }
        (self.room() == 0).then_some(Stop::MaxRecords)
    }

    /// How many records may still be given out.
    pub(super) fn room(&self) -> u64 {
        self.pages.max_records.map_or(u64::MAX, |max| max.get().saturating_sub(self.progress.records))
    }

    /// The number of records that the service counts.
    pub(super) fn total(&self) -> Option<u64> {
        self.known.total
    }

    /// Where the number of records was to stand, if no answer had it.
    pub(super) fn missing_total(&self) -> Option<&Place> {
        let place = self.pages.total.as_ref()?;
        (self.is_whole && self.progress.pages > 0 && self.progress.expected.is_none()).then_some(place)
    }

    /// How many pages are worth asking for before their turn.
    pub(super) fn pages_ahead(&self) -> usize {
        let by_pages =
            self.pages.max_pages.map_or(u64::MAX, |max| max.get().saturating_sub(self.progress.pages));
        let by_records = self.room().div_ceil(self.known.page_size.unwrap_or(1).max(1));
        let ahead = usize::try_from(by_pages.min(by_records)).unwrap_or(usize::MAX);
        ahead.min(self.pages.parallel.get())
    }

    /// The position behind `position`, where that is known before the page there was read.
    pub(super) fn foresee(&self, position: &Position) -> Option<Position> {
        self.pages.foresee(position, &self.known)
    }

    fn learn(&mut self, position: &Position, page: &PageView<'_>) {
        self.known.total = self.pages.total(page).or(self.known.total);
        if self.is_whole {
            self.progress.expected = self.known.total.or(self.progress.expected);
        }
        if let Strategy::Page { total_pages: Some(place), .. } = &self.pages.strategy {
            self.known.pages = page.number(place).or(self.known.pages);
        }
        let asked = self.pages.size.as_ref().map(|size| size.value);
        let first = (*position == self.first).then_some(page.records);
        self.known.page_size = asked.or(self.known.page_size).or(first);
    }

    /// A service that does not know the parameter for the page answers with the first page for ever.
    fn refuse_repeated_page(&mut self, page: &PageView<'_>, digest: Digest) -> Result<(), Error> {
        let is_counted = matches!(self.pages.strategy, Strategy::Page { .. } | Strategy::Offset { .. });
        if is_counted && page.records > 0 && self.last_page.replace(digest) == Some(digest) {
            return Err(Error::new(Kind::Pages, "it has the same records as the page before")
                .advise("check the name of the paging parameter: the service seems not to know it"));
        }
        Ok(())
    }

    fn refuse_astray(&mut self, next: &Position) -> Result<(), Error> {
        if let Position::Url(url) = next {
            self.origins.check(url)?;
        }
        if fingerprint(next).is_some_and(|print| !self.seen.insert(print)) {
            return Err(Error::new(
                Kind::Pages,
                format!("it leads back to {next}, which was asked for before"),
            )
            .advise("the service pages in a circle: bound the number of pages to take what there is"));
        }
        Ok(())
    }

    fn refuse_endless(&mut self, page: &PageView<'_>) -> Result<(), Error> {
        self.empty_pages = if page.records == 0 { self.empty_pages + 1 } else { 0 };
        if self.empty_pages < MAX_EMPTY_PAGES {
            return Ok(());
        }
        let message = format!(
            "it is the last of {MAX_EMPTY_PAGES} empty pages in a row, each with another one behind it"
        );
        Err(Error::new(Kind::Pages, message))
    }
}

/// What tells that a place was seen before; nothing for numbers, which only grow.
fn fingerprint(position: &Position) -> Option<Digest> {
    match position {
        Position::Start | Position::Page(_) | Position::Offset(_) => None,
        Position::Cursor(value) => {
            let text = json::scalar_text(value).unwrap_or_else(|| value.to_string());
            Some(Digest::of(text.as_bytes()))
        }
        Position::Url(url) => Some(Digest::of(url.as_str().as_bytes())),
    }
}
