//! The calls of a run.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use nuncio_client::pages::Item;
use nuncio_client::{Answer, Call, Error, Evidence, Kind, Repeat};
use nuncio_service::{Connection, Inputs, Scope};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::Headers;
use crate::deliver::Connect;
use crate::progress::Begun;

use super::items::{Items, Reader};
use super::state::{Place, Run};
use super::turn::{Lost, Made, Turn};
use super::{Plan, Way};

/// How much a page may hold, in bytes: it is stored in one step. 64 MiB.
const MAX_PAGE_BYTES: usize = 64 * 1024 * 1024;

/// How work on a run ended.
#[derive(Debug)]
pub(super) enum End {
    /// All is done.
    Done,
    /// Somebody else has the run.
    Lost,
    /// It was stopped, and goes on where it is.
    Stopped,
    /// It failed.
    Failed(String),
}

impl From<Lost> for End {
    fn from(Lost: Lost) -> Self {
        Self::Lost
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error.report())
    }
}

/// Does what is left of a run.
pub(super) async fn work(turn: &Turn, plan: &Plan, connect: &Connect, stop: &CancellationToken) -> End {
    let worked = async {
        let run = turn.run().await?;
        let work = &plan.work;
        let connection = connect(&work.service, work.account.as_deref()).await?;
        let worker = Worker { turn, plan, connection, stop };
        match &work.way {
            Way::Pull => worker.pull(&run).await,
            Way::Call => worker.call(&run).await,
            Way::Each(items) => worker.each(&run, items).await,
        }
    };
    match worked.await {
        Ok(()) => End::Done,
        Err(end) => end,
    }
}

struct Worker<'a> {
    turn: &'a Turn,
    plan: &'a Plan,
    connection: Connection,
    stop: &'a CancellationToken,
}

impl Worker<'_> {
    /// Each page is stored together with the place behind it.
    async fn pull(&self, run: &Run) -> Result<(), End> {
        let operation = &self.plan.work.operation;
        let call = self.prepare(run, None)?;
        let pages = self.connection.pages(operation)?;
        let mut items = match &run.place {
            Some(Place::Page(checkpoint)) => call.resume(&pages, checkpoint.clone())?,
            _ => call.pages(&pages)?,
        };
        let (mut made, mut bytes) = (Vec::new(), 0);
        loop {
            let item = tokio::select! {
                biased;
                // What was read of this page is read again.
                () = self.stop.cancelled() => return Err(End::Stopped),
                item = items.next() => item,
            };
            match item.transpose()? {
                Some(Item::Record(record)) => {
                    bytes += record.as_bytes().len();
                    if bytes > MAX_PAGE_BYTES {
                        let told =
                            format!("a page has more than {MAX_PAGE_BYTES} bytes: ask for smaller pages");
                        return Err(End::Failed(told));
                    }
                    let headers = headers(run, None, Bytes::from_static(b"application/json"));
                    let event_type = self.plan.work.event_type.clone();
                    made.push(Made { event_type, headers, body: record.bytes().clone() });
                }
                Some(Item::Page(checkpoint)) => {
                    let page = std::mem::take(&mut made);
                    let count = page.len() as u64;
                    let place = Place::Page(checkpoint);
                    bytes = 0;
                    self.turn
                        .step(page, |run| {
                            run.events += count;
                            run.place = Some(place.clone());
                        })
                        .await?;
                }
                Some(Item::End(verdict)) => return Ok(verdict.check()?),
                Some(_) => {}
                None => return Err(End::Failed("the list broke off".to_owned())),
            }
        }
    }

    async fn call(&self, run: &Run) -> Result<(), End> {
        let (begun, next) = match &run.place {
            Some(Place::Item { next, begun, .. }) => (*begun, *next),
            _ => (None, 0),
        };
        if next > 0 {
            return Ok(());
        }
        self.one(run, None, 0, begun, String::new()).await?;
        Ok(())
    }

    /// One call after the other.
    async fn each(&self, run: &Run, items: &Items) -> Result<(), End> {
        let (mut begun, first, digest) = match &run.place {
            Some(Place::Item { next, begun, digest }) => (*begun, *next, digest.clone()),
            _ => (None, 0, String::new()),
        };
        let mut items = items.read().await?;
        skip(&mut items, first, &digest).await?;
        for index in first.. {
            if self.stop.is_cancelled() {
                return Err(End::Stopped);
            }
            let Some(item) = items.next().await? else { break };
            match self.one(run, Some(item), index, begun.take(), items.digest()).await {
                Ok(()) | Err(End::Failed(_)) => {}
                Err(end) => return Err(end),
            }
        }
        match self.turn.run().await?.failures {
            0 => Ok(()),
            failures => Err(End::Failed(format!("the calls of {failures} items failed"))),
        }
    }

    /// Makes one call, and stores what came of it together with the place behind it. One that may do harm twice is noted before it is sent.
    async fn one(
        &self,
        run: &Run,
        item: Option<Result<Value, Error>>,
        index: u64,
        begun: Option<Begun>,
        digest: String,
    ) -> Result<(), End> {
        let behind = Place::Item { next: index + 1, begun: None, digest };
        let (is_item, item) = (item.is_some(), item.transpose());
        let shown = item.as_ref().ok().cloned().flatten().unwrap_or_default();
        let call = item.and_then(|item| self.prepare(run, item.as_ref()));
        let call = call.map_err(|error| error.evidence_is(Evidence::NeverSent));
        let call = call.map(|call| call.default_idempotency_key(format!("{}-{index}", run.id)));
        let call = call.and_then(|call| self.vet(call, begun));
        if let Ok(call) = &call
            && call.repeat() != Repeat::Harmless
        {
            let keyed = call.repeat() == Repeat::Deduplicated;
            let begun = begun.unwrap_or_else(|| Begun { at: self.turn.means.now(), keyed });
            let place = move |run: &mut Run| {
                let digest = match run.place.take() {
                    Some(Place::Item { digest, .. }) => digest,
                    _ => String::new(),
                };
                run.place = Some(Place::Item { next: index, begun: Some(begun), digest });
            };
            self.turn.step(Vec::new(), place).await?;
        }
        let answered = match call {
            Ok(call) => call.send().await,
            Err(error) => Err(error),
        };
        let is_ok = answered.is_ok();
        let told = answered.as_ref().err().map(Error::report);
        let made = match answered {
            Ok(answer) => Some(self.answer(run, is_item.then_some(index), &answer)),
            // The failure of the only call is the run's.
            Err(error) => is_item.then(|| self.failure(run, index, &shown, &error)),
        };
        let step = |run: &mut Run| {
            run.events += u64::from(is_ok);
            run.failures += u64::from(!is_ok);
            run.place = Some(behind.clone());
        };
        self.turn.step(made.into_iter().collect(), step).await?;
        told.map_or(Ok(()), |told| Err(End::Failed(told)))
    }

    /// Refuses what may have been done already by a run that was cut off.
    fn vet(&self, call: Call, begun: Option<Begun>) -> Result<Call, Error> {
        if begun.is_none_or(|begun| {
            begun.may_be_repeated(call.repeat(), self.turn.means.now(), self.plan.timeout)
        }) {
            return Ok(call);
        }
        let message = "nuncio ended while the call was under way, and a second copy may do harm";
        Err(Error::new(Kind::Connect, message)
            .evidence_is(Evidence::Unknown)
            .advise("find out whether it was done"))
    }

    fn prepare(&self, run: &Run, item: Option<&Value>) -> Result<Call, Error> {
        let schedule = json!({
            "name": self.turn.name,
            "due": run.due, "due_unix": run.due.as_second(),
            "since": run.since, "since_unix": run.since.as_second(),
        });
        let mut scope = Scope::new(&self.plan.env).with("schedule", schedule);
        if let Some(item) = item {
            scope = scope.with("item", item.clone());
        }
        let inputs = match (&self.plan.work.inputs, item) {
            (Some(tree), _) => tree.render(&scope)?,
            (None, Some(item)) => item.clone(),
            (None, None) => json!({}),
        };
        self.connection.call(&self.plan.work.operation, Inputs::from_json(inputs)?)
    }

    fn answer(&self, run: &Run, index: Option<u64>, answer: &Answer) -> Made {
        let content_type = answer.headers.get(http::header::CONTENT_TYPE);
        let content_type =
            content_type.map(|value| Bytes::copy_from_slice(value.as_bytes())).unwrap_or_default();
        let event_type = self.plan.work.event_type.clone();
        Made { event_type, headers: headers(run, index, content_type), body: answer.body.clone() }
    }

    fn failure(&self, run: &Run, index: u64, item: &Value, error: &Error) -> Made {
        let fate = match error.evidence() {
            Evidence::NeverSent => "never_sent",
            Evidence::Rejected => "rejected",
            Evidence::Unknown => "unknown",
        };
        let body = json!({ "index": index, "item": item, "fate": fate, "error": error.report() });
        Made {
            event_type: format!("{}.failed", self.plan.work.operation),
            headers: headers(run, Some(index), Bytes::from_static(b"application/json")),
            body: Bytes::from(body.to_string()),
        }
    }
}

/// Goes to the place where a run goes on, if the items before it are what they were.
async fn skip(items: &mut Reader<'_>, count: u64, digest: &str) -> Result<(), End> {
    for _ in 0..count {
        if items.next().await?.is_none() {
            break;
        }
    }
    if count > 0 && items.digest() != digest {
        return Err(End::Failed(
            "the items before the one where it goes on are not what they were".to_owned(),
        ));
    }
    Ok(())
}

fn headers(run: &Run, index: Option<u64>, content_type: Bytes) -> Headers {
    let mut headers = vec![
        ("content-type".to_owned(), content_type),
        ("nuncio-due".to_owned(), Bytes::from(run.due.to_string())),
    ];
    headers.extend(index.map(|index| ("nuncio-item".to_owned(), Bytes::from(index.to_string()))));
    Headers(headers)
}

/// How long a step of a run that is under way may be silent.
pub(super) const BEAT: Duration = Duration::from_secs(3);
