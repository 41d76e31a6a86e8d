//! The stream that a consumer holds.

use std::future::{Future, ready};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tracing::Instrument as _;

use crate::Error;

use super::fetch::Task;
use super::{Next, Progress, Record, Verdict};

/// Everything a pull has to keep to go on behind a page. Secrets that a service put into a next URL are blanked in its written form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Checkpoint {
    /// What was read up to here.
    #[serde(flatten)]
    pub progress: Progress,
    /// Where the next page is.
    pub next: Next,
    /// How many records of that page were read already, when a bound on records ended the pull within it.
    pub skip: u64,
}

/// What comes out of a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Item {
    /// The next record.
    Record(Record),
    /// All records of a page have been given out. Whoever can go on after a crash writes this down together with them.
    Page(Checkpoint),
    /// The end. Nothing follows.
    End(Verdict),
}

/// One page at once.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// Its records.
    pub records: Vec<Record>,
    /// Where to go on.
    pub checkpoint: Checkpoint,
}

/// What the task that reads tells the stream.
pub(super) enum Message {
    Records(Vec<Record>),
    Item(Item),
}

pub(super) type Sender = mpsc::Sender<Result<Message, Error>>;

/// Number of messages between the task that reads and the stream: pieces of a body, so some hundred KiB.
const BUFFERED: usize = 4;

/// The records, page ends and the verdict of a list, as a stream that ends after [`Item::End`] or the first error.
///
/// Nothing is sent before it is polled first, on a tokio runtime; from then on a task of its own reads ahead by a few pieces of the body
/// and one page (or as many as [`Pages::parallel`](super::Pages::parallel) allows). Dropping the stream ends that task and its
/// requests; polling can be interrupted at any point without loss.
#[must_use = "streams do nothing unless polled"]
pub struct Items {
    reader: Reader,
    messages: mpsc::Receiver<Result<Message, Error>>,
    records: std::vec::IntoIter<Record>,
}

enum Reader {
    Waiting(Pin<Box<dyn Future<Output = ()> + Send>>),
    Running(Task<()>),
    Ended,
}

impl Items {
    pub(super) fn new<F>(reader: impl FnOnce(Sender) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, messages) = mpsc::channel(BUFFERED);
        let reader = reader(sender).in_current_span();
        Self { reader: Reader::Waiting(Box::pin(reader)), messages, records: Vec::new().into_iter() }
    }

    /// The records as `T`s.
    ///
    /// The stream ends with an error when a record does not fit, or when the verdict is that the records are not known to be all.
    pub fn records<T: DeserializeOwned>(self) -> impl Stream<Item = Result<T, Error>> + Send + Unpin {
        self.raw_records().map(|record| record?.parse())
    }

    /// The records as they came.
    ///
    /// The stream ends with an error when the verdict is that they are not known to be all.
    pub fn raw_records(self) -> impl Stream<Item = Result<Record, Error>> + Send + Unpin {
        self.filter_map(|item| {
            ready(match item {
                Ok(Item::Record(record)) => Some(Ok(record)),
                Ok(Item::Page(_)) => None,
                Ok(Item::End(verdict)) => verdict.check().err().map(Err),
                Err(error) => Some(Err(error)),
            })
        })
    }

    /// The records page by page, each page in memory. A page that is not read to its end is left out.
    ///
    /// The stream ends with an error when the verdict is that they are not known to be all.
    pub fn pages(self) -> impl Stream<Item = Result<Page, Error>> + Send + Unpin {
        let mut records = Vec::new();
        self.filter_map(move |item| {
            ready(match item {
                Ok(Item::Record(record)) => {
                    records.push(record);
                    None
                }
                Ok(Item::Page(checkpoint)) => {
                    Some(Ok(Page { records: std::mem::take(&mut records), checkpoint }))
                }
                Ok(Item::End(verdict)) => verdict.check().err().map(Err),
                Err(error) => Some(Err(error)),
            })
        })
    }

    fn start(&mut self) {
        if let Reader::Waiting(reader) = std::mem::replace(&mut self.reader, Reader::Ended) {
            self.reader = Reader::Running(Task::spawn(reader));
        }
    }

    /// The task ended without a last word: it panicked, or its runtime is shutting down.
    fn poll_lost(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Item, Error>>> {
        let Reader::Running(task) = &mut self.reader else { return Poll::Ready(None) };
        let outcome = ready!(Pin::new(task).poll(context));
        self.reader = Reader::Ended;
        Poll::Ready(outcome.err().map(|error| Err(error.into())))
    }
}

impl Stream for Items {
    type Item = Result<Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if matches!(self.reader, Reader::Waiting(_)) {
            self.start();
        }
        loop {
            if let Some(record) = self.records.next() {
                return Poll::Ready(Some(Ok(Item::Record(record))));
            }
            if matches!(self.reader, Reader::Ended) {
                return Poll::Ready(None);
            }
            match ready!(self.messages.poll_recv(context)) {
                Some(Ok(Message::Records(records))) => self.records = records.into_iter(),
                Some(Ok(Message::Item(item))) => {
                    if matches!(item, Item::End(_)) {
                        self.reader = Reader::Ended;
                    }
                    return Poll::Ready(Some(Ok(item)));
                }
                Some(Err(error)) => {
                    self.reader = Reader::Ended;
                    return Poll::Ready(Some(Err(error)));
                }
                None => return self.poll_lost(context),
            }
        }
    }
}

impl std::fmt::Debug for Items {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Items")
    }
}
