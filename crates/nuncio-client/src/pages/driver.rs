//! Asks for one page after the other, and for the next one before the last is used up.

mod page_size;

use std::collections::VecDeque;
use std::time::Duration;

use http::HeaderMap;
use serde_json::value::RawValue;
use tower::Service;
use url::Url;

use crate::{Error, Event, Request, Response};

use super::course::Course;
use super::fetch::{Fetch, Fetcher};
use super::items::{Message, Sender};
use super::page::{Failure, Given, Reading};
use super::{Checkpoint, Item, Items, Next, PageView, Pages, Position, Progress, Record, Stop, Verdict};

/// How often a page is asked for whose body breaks off. (Answers that are failures are the retry layer's business.)
const READINGS: u32 = 3;

/// Pause before a page is asked for again, times the number of readings so far.
const REREAD_PAUSE: Duration = Duration::from_secs(1);

impl Pages {
    /// The list that `request` asks the first page of, read over `service`. The request's [`Context`](crate::Context) goes with each
    /// page, with a history of its own.
    ///
    /// Errors come through the stream and name the page: those of the service; [`Kind::Decode`](crate::Kind::Decode) for a body that is not JSON
    /// or has no records at their path; [`Kind::Pages`](crate::Kind::Pages) for a cursor or URL that was seen before, a next link
    /// to another origin, a page that is the same as the one before, and a page that changed while it was read again.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a request whose body cannot be sent again.
    pub fn read<S>(&self, service: S, request: Request) -> Result<Items, Error>
    where
        S: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let next = Next::At(self.first(&request)?);
        self.resume(service, request, Checkpoint { progress: Progress::default(), next, skip: 0 })
    }

    /// Like [`read`](Self::read), from `checkpoint` on. `request` is the same as for the first page.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a request whose body cannot be sent again.
    pub fn resume<S>(&self, service: S, request: Request, checkpoint: Checkpoint) -> Result<Items, Error>
    where
        S: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let course = Course::new(self.clone(), &request, checkpoint.progress)?;
        let fetcher = Fetcher::new(service, request, self)?;
        Ok(Items::new(|out| Driver { course, fetcher, ahead: VecDeque::new(), out }.run(checkpoint)))
    }
}

struct Driver<S> {
    course: Course,
    fetcher: Fetcher<S>,
    /// Pages that were asked for before their turn, in order.
    ahead: VecDeque<Fetch>,
    out: Sender,
}

/// A page that was read.
struct PageRead {
    url: Url,
    given: Given,
    /// Its last records, which were not sent yet.
    records: Vec<Record>,
    /// The answer around the records; nothing when the bound on records ended the page early.
    around: Option<Around>,
}

type Around = (HeaderMap, Box<RawValue>);

impl<S> Driver<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    async fn run(mut self, checkpoint: Checkpoint) {
        let end = match self.read_all(checkpoint).await {
            Ok(verdict) => Ok(Message::Item(Item::End(verdict))),
            Err(error) => Err(match &self.fetcher.context().operation {
                Some(operation) => error.during(operation.as_ref()),
                None => error,
            }),
        };
        self.send(end).await;
    }

    async fn read_all(&mut self, checkpoint: Checkpoint) -> Result<Verdict, Error> {
        let Checkpoint { mut next, mut skip, .. } = checkpoint;
        if let Next::At(position) = &next {
            self.course.goes_on_at(position);
        }
        loop {
            let position = match next {
                Next::At(position) => position,
                Next::End(stop) => return Ok(self.end(stop)),
            };
            if let Some(stop) = self.course.bound() {
                return Ok(self.end(stop));
            }
            let page = self.page(position.clone(), std::mem::take(&mut skip)).await?;
            let Some(around) = page.around else {
                self.send(Ok(Message::Records(page.records))).await;
                self.checkpoint(Next::At(position), page.given.out()).await;
                return Ok(self.end(Stop::MaxRecords));
            };
            let decided = match self.decide(&position, &page.url, &page.given, &around) {
                Ok(next) => self.check_page_size(&position, &page.given, next).await,
                error => error,
            };
            // Before the last records are sent, which may take until the consumer has room for them.
            if let Ok(Next::At(position)) = &decided {
                self.look_ahead(position);
            }
            self.send(Ok(Message::Records(page.records))).await;
            next = decided.map_err(|error| self.explain(error, self.course.progress.pages, &page.url))?;
            self.checkpoint(next.clone(), 0).await;
        }
    }

    /// Reads a page to its end, again if it breaks off, and sends all of its records but those that came last.
    async fn page(&mut self, position: Position, skip: u64) -> Result<PageRead, Error> {
        let number = self.course.progress.pages + 1;
        let mut fetch = self.take(position)?;
        let mut given = Given::new(skip, self.course.room());
        let mut readings = 1;
        loop {
            let mut records = Vec::new();
            let failure = match self.reading(&mut fetch, &mut given, &mut records).await {
                Ok(around) => {
                    self.course.count(&records);
                    return Ok(PageRead { url: fetch.url, given, records, around });
                }
                Err(failure) => failure,
            };
            self.give(&mut records).await;
            let error = match failure {
                Failure::BrokenOff(error) if readings < READINGS => error,
                Failure::BrokenOff(error) | Failure::Final(error) => {
                    return Err(self.explain(error, number, &fetch.url));
                }
            };
            let message = format!("page {number} is asked for again: {error}");
            self.fetcher.context().observer.notify(&Event::Warning { message: &message });
            tokio::time::sleep(REREAD_PAUSE * readings).await;
            readings += 1;
            fetch = self.fetch(fetch.position)?;
        }
    }

    /// Reads a page once. Nothing when the bound on records ended that early.
    async fn reading(
        &mut self,
        fetch: &mut Fetch,
        given: &mut Given,
        records: &mut Vec<Record>,
    ) -> Result<Option<Around>, Failure> {
        let response = fetch.response().await.map_err(Failure::Final)?;
        let mut reading = Reading::begin(response, &self.course.pages).await.map_err(Failure::Final)?;
        while reading.more(given, records).await? {
            if given.is_over() {
                return Ok(None);
            }
            self.give(records).await;
        }
        let around = reading.finish(given, records)?;
        Ok((!given.is_over()).then_some(around))
    }

    /// Where to go on after a page that was read to its end.
    fn decide(
        &mut self,
        position: &Position,
        url: &Url,
        given: &Given,
        around: &Around,
    ) -> Result<Next, Error> {
        let (headers, envelope) = around;
        let page = PageView {
            url,
            headers,
            envelope,
            records: given.count(),
            fetched: self.course.progress.records,
            last: given.last(),
        };
        let next = self.course.after(position, &page, given.digest());
        let event = Event::Page { number: self.course.progress.pages, records: page.records };
        self.fetcher.context().observer.notify(&event);
        next
    }

    /// Asks for the page at `position` and, where they can be foreseen, for those behind it.
    fn look_ahead(&mut self, position: &Position) {
        if self.ahead.front().is_some_and(|fetch| fetch.position != *position) {
            self.ahead.clear();
        }
        let mut position = match self.ahead.back() {
            Some(fetch) => self.course.foresee(&fetch.position),
            None => Some(position.clone()),
        };
        while self.ahead.len() < self.course.pages_ahead() {
            let Some(next) = position else { return };
            position = self.course.foresee(&next);
            // A request that cannot be made is tried again, and reported, when its turn comes.
            let Ok(fetch) = self.fetch(next) else { return };
            self.ahead.push_back(fetch);
        }
    }

    fn take(&mut self, position: Position) -> Result<Fetch, Error> {
        self.ahead.pop_front().map_or_else(|| self.fetch(position), Ok)
    }

    fn fetch(&mut self, position: Position) -> Result<Fetch, Error> {
        self.fetcher.fetch(position, &self.course.pages)
    }

    async fn give(&mut self, records: &mut Vec<Record>) {
        self.course.count(records);
        self.send(Ok(Message::Records(std::mem::take(records)))).await;
    }

    async fn checkpoint(&mut self, next: Next, skip: u64) {
        let checkpoint = Checkpoint { progress: self.course.progress, next, skip };
        self.send(Ok(Message::Item(Item::Page(checkpoint)))).await;
    }

    async fn send(&mut self, message: Result<Message, Error>) {
        // Nobody listens any more only when the stream was dropped, which ends this task too.
        let _ = self.out.send(message).await;
    }

    fn end(&self, stop: Stop) -> Verdict {
        let reason = format!("{stop} (page {})", self.course.progress.pages);
        self.fetcher.context().observer.notify(&Event::PagesEnded { reason: &reason });
        let verdict = Verdict::new(stop, self.course.progress);
        match self.course.missing_total() {
            Some(place) => verdict.doubted(format!("no answer told the total at {place}: check its place")),
            None => verdict,
        }
    }

    fn explain(&self, error: Error, page: u64, url: &Url) -> Error {
        error.within(format_args!("page {page}")).on(self.fetcher.method(), url)
    }
}

#[cfg(test)]
mod tests;
