//! Notices a service that gives fewer records a page than it was asked for.
//!
//! An offset grows by the page size that was asked for, since a service may hide rows after counting them. When the service caps the size,
//! that skips records: of 50 rows, a service that gives 10 where 100 are asked for shows 10, and then an empty page. A short first page can
//! mean three things, and the page behind its last record tells them apart:
//!
//! - it is empty: the list is at its end, and the empty page that would have shown it is saved;
//! - it overlaps the first page, or begins where the next page begins: rows are hidden, offsets are right;
//! - it begins with other records: the size is capped, and going on would lose them.

use tower::Service;

use crate::pages::digest::Digest;
use crate::pages::page::{Given, Reading};
use crate::pages::{Next, Position, Record, Stop, Strategy};
use crate::{Error, Kind, Request, Response};

use super::Driver;

/// The records at a place, in brief.
struct Glimpse {
    first: Digest,
    /// Whether the record in question is among them.
    has_it: bool,
}

impl<S> Driver<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    /// `next`, as decided after the page at `position`, unless the place behind that page's last record tells something else.
    pub(super) async fn check_page_size(
        &mut self,
        position: &Position,
        given: &Given,
        next: Next,
    ) -> Result<Next, Error> {
        let Some((last, behind)) = self.doubt(position, given, &next) else { return Ok(next) };
        let last = self.identify(last);
        let Some(behind) = self.glimpse(behind, last).await? else {
            let is_told = self.course.pages.more.is_some() || self.course.pages.total.is_some();
            return Ok(if is_told { next } else { Next::End(Stop::EmptyPage) });
        };
        if behind.has_it {
            return Ok(next);
        }
        if let Next::At(position) = &next
            && let Some(page) = self.glimpse(position.clone(), last).await?
            && page.first == behind.first
        {
            return Ok(next);
        }
        let records = given.count();
        let message = format!(
            "the service gives {records} records a page although it is asked for more: offsets would skip some"
        );
        Err(Error::new(Kind::Pages, message).advise(format!("ask for {records} records a page")))
    }

    /// The last record of a short first page, and the place behind it, unless the total says that nothing is there.
    fn doubt<'a>(
        &self,
        position: &Position,
        given: &'a Given,
        next: &Next,
    ) -> Option<(&'a Record, Position)> {
        let pages = &self.course.pages;
        let (Strategy::Offset { .. }, Position::Offset(offset), Some(size)) =
            (&pages.strategy, position, &pages.size)
        else {
            return None;
        };
        let behind = offset + given.count();
        let is_open = matches!(next, Next::At(_) | Next::End(Stop::TotalReached));
        let is_told = self.course.total() == Some(behind);
        if self.course.progress.pages > 1 || given.count() >= size.value || !is_open || is_told {
            return None;
        }
        given.last().map(|last| (last, Position::Offset(behind)))
    }

    async fn glimpse(&mut self, position: Position, it: Digest) -> Result<Option<Glimpse>, Error> {
        let mut fetch = self.fetcher.fetch_whole(position, &self.course.pages)?;
        let mut reading = Reading::begin(fetch.response().await?, &self.course.pages).await?;
        let mut given = Given::new(0, u64::MAX);
        let mut glimpse: Option<Glimpse> = None;
        let mut records = Vec::new();
        loop {
            let more = reading.more(&mut given, &mut records).await?;
            for record in records.drain(..) {
                let first = self.identify(&record);
                glimpse.get_or_insert(Glimpse { first, has_it: false }).has_it |= first == it;
            }
            if !more {
                break;
            }
        }
        reading.finish(&mut given, &mut records)?;
        Ok(glimpse)
    }

    fn identify(&self, record: &Record) -> Digest {
        self.course.pages.identity.digest(record).unwrap_or_else(|| Digest::of(record.as_bytes()))
    }
}
