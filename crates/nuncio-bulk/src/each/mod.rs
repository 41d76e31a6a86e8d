//! One call for each item of a file.
//!
//! Results and failures go to files of their own, one JSON line an item, in the order in which the calls end. A journal beside them
//! tells a later run what became of which item:
//!
//! - An item that has its result or failure is not sent again.
//! - A call of which a second copy may do harm is noted before it is made. If a crash leaves it at that, its fate is unknown.
//! - It is made again then with the same idempotency key, if it has one and the service still knows it
//!   ([`Options::key_lifetime`]). Otherwise it is reported as unknown and not made again, unless [`Options::retry_unknown`] asks for it.
//!
//! The journal knows what each item was: an input that has changed is refused, one that has grown is gone on with.

mod journal;
mod output;
mod source;
mod writer;

use std::future::Future;
use std::io::BufRead;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use nuncio_client::{Call, Clock, Evidence, Kind, Repeat};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::Error;

use journal::{Outcome, Past};
use output::Fate;
use source::Entry;
use writer::{Gone, Settled, Writer};

pub use crate::Format;
pub use source::{Item, MAX_ITEM_BYTES};

/// Calls under way at a time, unless told otherwise.
pub const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(8).expect("not zero");

/// How long a service knows an idempotency key, unless told otherwise: Stripe may forget one after a day.
pub const DEFAULT_KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a run writes, and how it goes about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// What is called, for people and without secrets, such as `stripe customers.create`. A journal of another call is refused.
    pub call: String,
    /// One line an answer: `index`, `status`, `body`.
    pub results: PathBuf,
    /// One line a failure: `index`, `line`, `item`, `fate` (`never_sent`, `rejected` or `unknown`), `error`.
    pub failures: PathBuf,
    /// What became of which item.
    pub journal: PathBuf,
    /// How items are written. Default: [`Format::Jsonl`].
    pub format: Format,
    /// Calls under way at a time. Default: [`DEFAULT_CONCURRENCY`].
    pub concurrency: NonZeroUsize,
    /// Number of failures in this run after which no further item is taken. Default: none.
    pub max_failures: Option<NonZeroU64>,
    /// Whether to try again, with a new idempotency key, what failed in an earlier run and was not done. Default: false.
    pub retry_failed: bool,
    /// Whether to try again, with the same idempotency key, what may have been done. Default: false.
    pub retry_unknown: bool,
    /// Whether to begin anew and write over what an earlier run left. Default: false.
    pub restart: bool,
    /// How long the service knows an idempotency key. Default: [`DEFAULT_KEY_LIFETIME`].
    pub key_lifetime: Duration,
    /// Tells how old a key is. Default: this machine.
    pub clock: Clock,
}

impl Options {
    /// A run that writes `{stem}.results.jsonl`, `{stem}.failures.jsonl` and `{stem}.journal`.
    #[must_use]
    pub fn new(stem: impl Into<PathBuf>, call: impl Into<String>) -> Self {
        let stem = stem.into();
        let beside = |end: &str| {
            let mut path = stem.clone().into_os_string();
            path.push(end);
            PathBuf::from(path)
        };
        Self {
            call: call.into(),
            results: beside(".results.jsonl"),
            failures: beside(".failures.jsonl"),
            journal: beside(".journal"),
            format: Format::default(),
            concurrency: DEFAULT_CONCURRENCY,
            max_failures: None,
            retry_failed: false,
            retry_unknown: false,
            restart: false,
            key_lifetime: DEFAULT_KEY_LIFETIME,
            clock: Clock::system(),
        }
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Whether every item of the input has its result.
    pub complete: bool,
    /// Items with a result, earlier runs included.
    pub ok: u64,
    /// Items that failed and were not done, earlier runs included.
    pub failed: u64,
    /// Items that failed and may have been done, earlier runs included.
    pub unknown: u64,
    /// Items of these three that earlier runs had settled.
    pub skipped: u64,
    /// Attempts in this run.
    pub attempts: u64,
}

impl Summary {
    fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Failed => &mut self.failed,
            Outcome::Unknown => &mut self.unknown,
        } += 1;
    }
}

/// Makes one call for each item of `input`.
///
/// `make_call` makes the call for an item; it is given an idempotency key here, unless it has one, which must be the same
/// in every run then. `progress` is told of the items that are safe. When
/// `stop` ends, no further item is taken and the calls under way are waited for. Dropping the future, or a kill, cuts those off; the
/// module's rules say what the next run does about them.
///
/// ```
/// use nuncio_bulk::each::{Options, each};
/// # use nuncio_client::{Body, Client, Error, Request, Response};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let service = tower::service_fn(|_: Request| async { Ok::<_, Error>(Response::new(Body::Empty)) });
/// # let client = Client::builder().base_url("https://api.example.com").transport(service).build()?;
/// # let dir = tempfile::tempdir()?;
/// # let stem = dir.path().join("customers");
/// let input = "{\"name\": \"Ada\"}\n{\"name\": \"Grace\"}\n".as_bytes();
/// let options = Options::new(stem, "POST /customers");
/// let make_call = |item: &nuncio_bulk::each::Item| Ok(client.post("/customers").json(&*item.value));
/// let summary = each(input, options, make_call, |_| {}, std::future::pending()).await?;
/// assert!(summary.complete);
/// assert_eq!(summary.ok, 2);
/// # Ok(())
/// # }
/// ```
///
/// The input is read, and the files are written, on threads of their own.
///
/// # Errors
/// [`Error::File`] with the file; [`Error::InUse`] while another run writes it; [`Error::State`] where the files of an earlier run do
/// not go with this one; [`Error::Options`] where two of them are the same; [`Error::Input`] where the input cannot be read on. A line that is no item, and a call that cannot be made, are failures of that item alone.
pub async fn each(
    input: impl BufRead + Send + 'static,
    options: Options,
    make_call: impl Fn(&Item) -> Result<Call, nuncio_client::Error>,
    mut progress: impl FnMut(&Summary),
    stop: impl Future<Output = ()>,
) -> Result<Summary, Error> {
    let (writer, past, settled) = Writer::open(&options)?;
    let turns = Semaphore::new(options.concurrency.get());
    let run = Run { options: &options, writer: &writer, past: &past, make_call, turns };
    let outcome = run.all(Box::new(input), settled, &mut progress, stop).await;
    // Why the writer is gone is the better story.
    writer.close()?;
    outcome
}

/// The first item of an input, to look at what would be made of it; nothing for an input without items.
///
/// # Errors
/// [`Error::Input`] where the input cannot be read, and [`Error::Call`] where the line is no item.
pub async fn first(input: impl BufRead + Send + 'static, format: Format) -> Result<Option<Item>, Error> {
    let entry = source::entries(Box::new(input), format).recv().await.transpose()?;
    Ok(entry.map(|line| Entry::from(line).item().cloned()).transpose()?)
}

struct Run<'a, F> {
    options: &'a Options,
    writer: &'a Writer,
    past: &'a Past,
    make_call: F,
    /// One for each call that may be under way; closed when no further call is to be made.
    turns: Semaphore,
}

/// How an item ended.
#[derive(Debug, Clone, Copy)]
struct Ended {
    outcome: Outcome,
    attempts: u64,
}

/// How many calls with an idempotency key may be noted as begun before their turn, so that none waits for the disk: as many as end while
/// one lot is gathered and written, up to 20,000 a second. After a crash they are made with the same key, as those are that were under way.
const AHEAD: usize = 256;

/// How many items may have ended that are not on disk yet: a disk that is slower than the network holds it back.
const MAX_UNSETTLED: usize = 1024;

impl<F: Fn(&Item) -> Result<Call, nuncio_client::Error>> Run<'_, F> {
    async fn all(
        &self,
        input: Box<dyn BufRead + Send>,
        mut settled: Settled,
        progress: &mut impl FnMut(&Summary),
        stop: impl Future<Output = ()>,
    ) -> Result<Summary, Error> {
        let mut entries = source::entries(input, self.options.format);
        let mut summary = Summary::default();
        let mut under_way = FuturesUnordered::new();
        let mut stop = pin!(stop);
        let mut failures_left = self.options.max_failures.map(NonZeroU64::get);
        // How the input ended, once it did: also then, what is under way is waited for.
        let mut end = None;
        let (mut open, mut stopped, mut unsettled) = (true, false, 0);
        while open || unsettled > 0 || !under_way.is_empty() {
            let room = under_way.len() < self.options.concurrency.get() + AHEAD && unsettled < MAX_UNSETTLED;
            tokio::select! {
                biased;
                () = &mut stop, if !stopped => stopped = true,
                Some(outcome) = under_way.next(), if !under_way.is_empty() => {
                    let outcome: Option<Outcome> = match outcome {
                        Ok(outcome) => outcome,
                        Err(Gone) => return Ok(summary),
                    };
                    unsettled += usize::from(outcome.is_some());
                    if outcome.is_some_and(|outcome| outcome != Outcome::Ok)
                        && let Some(left) = &mut failures_left
                    {
                        *left = left.saturating_sub(1);
                        stopped |= *left == 0;
                    }
                }
                safe = settled.recv(), if unsettled > 0 => {
                    let Some(safe) = safe else { return Ok(summary) };
                    unsettled -= safe.len();
                    for Ended { outcome, attempts } in safe {
                        summary.count(outcome);
                        summary.attempts += attempts;
                    }
                    progress(&summary);
                }
                entry = entries.recv(), if open && room => {
                    match entry.transpose().and_then(|line| self.recall(line.map(Entry::from))) {
                        Ok(Some((_, Some(outcome)))) => {
                            summary.count(outcome);
                            summary.skipped += 1;
                        }
                        Ok(Some((entry, None))) => under_way.push(self.one(entry)),
                        Ok(None) => (open, end) = (false, Some(Ok(()))),
                        Err(error) => (open, end) = (false, Some(Err(error))),
                    }
                }
            }
            if stopped {
                open = false;
                self.turns.close();
            }
        }
        let exhausted = end.transpose()?.is_some();
        summary.complete = exhausted && !stopped && summary.failed + summary.unknown == 0;
        Ok(summary)
    }

    /// The next item, and what an earlier run made of it.
    fn recall(&self, entry: Option<Entry>) -> Result<Option<(Entry, Option<Outcome>)>, Error> {
        let Some(entry) = entry else { return Ok(None) };
        let Some(known) = self.past.items.get(&entry.shown().index) else { return Ok(Some((entry, None))) };
        if known.item != entry.digest() {
            let problem = format!(
                "knows another item than the one on line {} of the input: start anew, or give the input of that time",
                entry.shown().line
            );
            return Err(Error::state(&self.options.journal, problem));
        }
        Ok(Some((entry, known.outcome)))
    }

    /// Makes the call of an item and hands what came of it to the writer; nothing if no further call is to be made.
    async fn one(&self, entry: Entry) -> Result<Option<Outcome>, Gone> {
        let (index, digest) = (entry.shown().index, entry.digest());
        let call = self.prepare(&entry);
        let repeat = call.as_ref().map_or(Repeat::Harmless, Call::repeat);
        let begin = |urgent| self.writer.begin(index, digest, self.options.clock.since_epoch(), urgent);
        if repeat == Repeat::Deduplicated {
            begin(false).await?;
        }
        let Ok(_turn) = self.turns.acquire().await else { return Ok(None) };
        let _under_way = self.writer.enter();
        if repeat == Repeat::Harmful {
            begin(true).await?;
        }
        let answered = match call {
            Ok(call) => call.send().await,
            Err(error) => Err(error),
        };
        let (outcome, attempts, line) = match answered {
            Ok(answer) => (Outcome::Ok, answer.history.len(), output::success(index, &answer)),
            Err(error) => {
                let fate = Fate::from(error.evidence());
                (Outcome::from(fate), error.history().len(), output::failure(&entry, fate, &error))
            }
        };
        self.writer.settle(index, digest, Ended { outcome, attempts: attempts as u64 }, line)?;
        Ok(Some(outcome))
    }

    /// The call for an item, or why there is to be none.
    fn prepare(&self, entry: &Entry) -> Result<Call, nuncio_client::Error> {
        let item = entry.item()?;
        let call = (self.make_call)(item).map_err(|error| error.evidence_is(Evidence::NeverSent))?;
        let call = call.default_idempotency_key(self.past.key(item.index));
        if !self.may_be_made(&call, item.index) {
            let message = "an earlier run ended while the call was under way, and a second copy may do harm";
            return Err(nuncio_client::Error::new(Kind::Connect, message)
                .advise("find out whether it was done, or ask for what is unknown to be tried again"));
        }
        Ok(call)
    }

    /// Whether a call does no harm even if an earlier run was cut off while it made the same.
    fn may_be_made(&self, call: &Call, index: u64) -> bool {
        let Some(begun) = self.past.items.get(&index).and_then(|known| known.in_flight) else { return true };
        self.options.retry_unknown
            || match call.repeat() {
                Repeat::Harmless => true,
                // A clock that went back tells nothing.
                Repeat::Deduplicated => {
                    let now = self.options.clock.since_epoch();
                    now.checked_sub(begun).is_some_and(|age| age < self.options.key_lifetime)
                }
                Repeat::Harmful => false,
            }
    }
}
