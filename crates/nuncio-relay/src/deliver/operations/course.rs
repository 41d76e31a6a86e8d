//! One attempt at the calls of a delivery.

use std::num::NonZeroU32;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use nuncio_client::retry::Policy;
use nuncio_client::{Answer, Call, Error, Evidence, Repeat};
use tokio::time::{Instant, timeout_at};

use crate::clock;
use crate::outcome::{Fault, Outcome};
use crate::progress::{Begun, Journal, Progress};
use crate::settings::Operation;

use super::super::{Parcel, excerpt};
use super::Connections;
use super::step::Seen;

/// How much earlier than the attempt its calls are over, so that what is known of them is told before the attempt is cut off: 100 ms, or a tenth of
/// a shorter attempt.
const HEAD_START: Duration = Duration::from_millis(100);

/// The longest answer that later calls get to see: 64 KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

const MAY_HAVE_BEEN_MADE: &str =
    "the call may have been made, and is not made again: resend the delivery if it was not";

pub(super) struct Course<'a> {
    connections: &'a Connections,
    parcel: &'a Parcel<'a>,
    operations: &'a [Operation],
    journal: &'a Journal,
    progress: Progress,
    until: Instant,
}

impl<'a> Course<'a> {
    pub(super) fn new(
        connections: &'a Connections,
        parcel: &'a Parcel<'a>,
        operations: &'a [Operation],
        journal: &'a Journal,
        progress: Progress,
    ) -> Self {
        let timeout = parcel.timeout();
        let until = Instant::now() + (timeout - HEAD_START.min(timeout / 10));
        Self { connections, parcel, operations, journal, progress, until }
    }

    pub(super) async fn run(mut self) -> Outcome {
        let outcome = self.calls().await;
        if outcome.result.is_ok() {
            // Nobody asks for the answers any more.
            self.progress = Progress { round: self.progress.round, ..Progress::default() };
        }
        Outcome { progress: Some(self.progress), ..outcome }
    }

    async fn calls(&mut self) -> Outcome {
        let is_set_up = |step: &String| self.operations.iter().any(|operation| operation.step() == step);
        if let Some(step) = self.progress.begun.keys().find(|step| !is_set_up(step)) {
            let reason = format!("{step} began, and is not set up any more: {MAY_HAVE_BEEN_MADE}");
            return Outcome { step: Some(step.clone()), ..given_up(reason) };
        }
        let mut last = Outcome { status: None, ..Outcome::taken(0) };
        for (place, operation) in self.operations.iter().enumerate() {
            if self.progress.answers.contains_key(operation.step()) {
                continue;
            }
            let outcome = match self.call(place).await {
                Ok(None) => continue,
                Ok(Some(outcome)) | Err(outcome) => outcome,
            };
            let outcome = Outcome { step: Some(operation.step().to_owned()), ..outcome };
            if outcome.result.is_err() {
                return outcome;
            }
            last = outcome;
        }
        last
    }

    /// Makes the call at this place, if it is to be made.
    async fn call(&mut self, place: usize) -> Result<Option<Outcome>, Outcome> {
        let operation = &self.operations[place];
        let call = match self.prepare(place).await {
            Ok(Some(call)) => call,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.failed(operation, error)),
        };
        let repeat = call.repeat();
        let is_first = self.begin(operation, repeat).await?;
        let (time, history) = (self.until.saturating_duration_since(Instant::now()), call.history());
        match call.deadline(time).send().await {
            Ok(answer) => {
                self.progress.begun.remove(operation.step());
                if place + 1 < self.operations.len() {
                    self.progress.answers.insert(operation.step().to_owned(), kept(&answer));
                    self.note().await?;
                }
                let taken = Outcome::taken(answer.status.as_u16());
                Ok(Some(Outcome { excerpt: excerpt(&answer.body), ..taken }))
            }
            Err(error) => {
                // A deadline knows nothing of what it ended: a call that waited for its turn was never sent.
                let is_unknown = [error.evidence(), history.evidence()] == [Evidence::Unknown; 2];
                // What an earlier attempt may have done stays in doubt, whatever came of this one.
                if is_first && !is_unknown {
                    self.progress.begun.remove(operation.step());
                }
                let mut outcome = self.failed(operation, error);
                if is_unknown
                    && repeat == Repeat::Harmful
                    && !operation.retry_unknown
                    && let Err(failure) = &mut outcome.result
                {
                    failure.is_final = true;
                    failure.reason = format!("{}; {MAY_HAVE_BEEN_MADE}", failure.reason);
                }
                Err(outcome)
            }
        }
    }

    async fn prepare(&self, place: usize) -> Result<Option<Call>, Error> {
        let (operation, endpoint) = (&self.operations[place], self.parcel.endpoint);
        let step = &endpoint.steps[place];
        let seen = Seen { event: self.parcel.event, answers: &self.progress.answers };
        if !step.applies(&seen)? {
            return Ok(None);
        }
        let inputs = step.inputs(&seen, &endpoint.env)?;
        let connection = self.connections.connection(self.parcel, self.operations, place).await?;
        let call = connection
            .call(&operation.operation, inputs)?
            .idempotency_key(self.key(operation.step()))
            .retry(Policy { attempts: NonZeroU32::MIN, ..Policy::default() });
        Ok(Some(call))
    }

    /// Writes down that the call begins, where a copy of it could do it twice, and says whether it is the first.
    async fn begin(&mut self, operation: &Operation, repeat: Repeat) -> Result<bool, Outcome> {
        if repeat == Repeat::Harmless {
            return Ok(true);
        }
        let now = clock::now(&self.connections.clock);
        let keyed = repeat == Repeat::Deduplicated;
        let step = operation.step();
        if let Some(begun) = self.progress.begun.get(step) {
            if operation.retry_unknown || begun.may_be_repeated(repeat, now, self.parcel.timeout()) {
                return Ok(false);
            }
            let why = if keyed { "its idempotency key may be forgotten by now" } else { "it was cut off" };
            let reason =
                format!("{}: it began at {}, and {why}: {MAY_HAVE_BEEN_MADE}", label(operation), begun.at);
            return Err(given_up(reason));
        }
        self.progress.begun.insert(step.to_owned(), Begun { at: now, keyed });
        if let Err(outcome) = self.note().await {
            self.progress.begun.remove(step);
            return Err(outcome);
        }
        Ok(true)
    }

    async fn note(&self) -> Result<(), Outcome> {
        let failed = |reason| Outcome::failed(Fault::Unavailable, reason);
        match timeout_at(self.until, self.journal.note(&self.progress)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(failed("somebody else took the delivery over")),
            Err(_) => Err(failed("the store could not be written in time")),
        }
    }

    /// The same for each attempt, and for nothing else: not for another endpoint that calls the same service, nor when a delivery that has arrived
    /// is sent again.
    fn key(&self, step: &str) -> String {
        let whose = format!("{}\0{step}\0{}", self.parcel.name, self.progress.round);
        let digest = digest(&SHA256, whose.as_bytes());
        let short = digest.as_ref()[..8].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        format!("{}-{short}", self.parcel.event.id)
    }

    fn failed(&self, operation: &Operation, error: Error) -> Outcome {
        self.connections.failed(&error.during(label(operation)))
    }
}

/// The call as people know it.
fn label(operation: &Operation) -> String {
    let call = format!("{} {}", operation.service, operation.operation);
    operation.name.as_ref().map_or(call.clone(), |name| format!("{name} ({call})"))
}

fn given_up(reason: String) -> Outcome {
    let mut outcome = Outcome::failed(Fault::Refused, reason);
    if let Err(failure) = &mut outcome.result {
        failure.is_final = true;
    }
    outcome
}

/// What of an answer later calls get to see.
fn kept(answer: &Answer) -> String {
    if answer.body.len() > MAX_ANSWER_BYTES {
        return "null".to_owned();
    }
    String::from_utf8_lossy(&answer.body).into_owned()
}
