//! The loop: asks and waits.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::StatusCode;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt as _};

use super::failure::Failure;
use super::{Budget, Decision, Outcome, Policy, Stop};
use crate::{
    Attempt, Body, Clock, Context, Error, Event, Evidence, History, Kind, Random, Request, Response,
};

/// Repeats failed attempts as a [`Policy`] allows: see [the module](super).
#[derive(Debug, Clone)]
pub struct RetryLayer {
    policy: Arc<Policy>,
    budget: Budget,
    clock: Clock,
    random: Random,
}

impl RetryLayer {
    /// A layer that applies `policy` to requests that bring none of their own, with a [`Budget`] of its own.
    #[must_use]
    pub fn new(policy: Policy, clock: Clock, random: Random) -> Self {
        Self { policy: Arc::new(policy), budget: Budget::default(), clock, random }
    }

    /// Draws on `budget`, which other layers may share.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner, layer: Arc::new(self.clone()) }
    }
}

/// The service of [`RetryLayer`].
#[derive(Debug, Clone)]
pub struct Retry<S> {
    inner: S,
    layer: Arc<RetryLayer>,
}

impl<S> Service<Request> for Retry<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Error: Into<Error> + Send,
    S::Future: Send,
{
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The clone is not ready; the one that was polled is.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(run(Arc::clone(&self.layer), inner, request))
    }
}

async fn run<S>(layer: Arc<RetryLayer>, mut inner: S, request: Request) -> Result<Response, Error>
where
    S: Service<Request, Response = Response>,
    S::Error: Into<Error>,
{
    let context = Context::of(&request);
    let (mut parts, mut body) = request.into_parts();
    if parts.extensions.get::<Context>().is_none() {
        // The layers below must share the one whose history is told.
        parts.extensions.insert(context.clone());
    }
    let policy = parts.extensions.get().unwrap_or(&layer.policy).clone();
    let spare = body.try_clone();
    layer.budget.deposit(parts.uri.host().unwrap_or_default());
    // Whether an attempt before the last may have been acted on: what the last one proves is not all then.
    let mut doubt = false;
    let (mut attempt, mut renewed, mut reconnected, mut backoff) = (1, false, false, Duration::ZERO);
    loop {
        let result = send(&mut inner, Request::from_parts(parts.clone(), body), &context.history).await;
        let Some(failure) = Failure::of(&result, &policy) else {
            return result;
        };
        backoff = policy.backoff.wait(attempt - 1, backoff, &layer.random);
        let outcome = Outcome {
            method: parts.method.clone(),
            repeatable: context.repeatable,
            replayable: spare.is_some(),
            attempt,
            evidence: failure.evidence,
            status: failure.answer.as_ref().map(|answer| answer.status),
            kind: failure.kind,
            lasting: failure.lasting,
            credentials_renewed: failure.credentials_renewed() && !renewed,
            connection_ended: failure.connection_ended() && !reconnected,
            told: failure.told(&layer.clock),
            should_retry: failure.should_retry(&policy),
            quota_exhausted: failure.quota_exhausted(&policy),
            backoff,
            time_left: context.time_left(),
        };
        let made = attempt + u32::from(renewed) + u32::from(reconnected);
        let mut decision = policy.decide(&outcome);
        if matches!(decision, Decision::Retry { counted: true, .. })
            && outcome.adds_load()
            && !layer.budget.withdraw(parts.uri.host().unwrap_or_default())
        {
            decision = Decision::GiveUp(Stop::BudgetSpent);
        }
        let (after, reason, counted) = match decision {
            Decision::Retry { after, reason, counted } => (after, reason, counted),
            Decision::GiveUp(stop) => {
                context.observer.notify(&Event::GaveUp { attempts: made, reason: &stop.to_string() });
                return result.map_err(|error| {
                    let error = if doubt { error.evidence_is(Evidence::Unknown) } else { error };
                    explained(error, &stop, made, &policy, &outcome).after(context.history)
                });
            }
        };
        context.observer.notify(&Event::Retrying { attempt: made, after, reason: &reason });
        tokio::time::sleep(after).await;
        context.history.waited(after);
        body = spare.as_ref().and_then(Body::try_clone).expect("only what is replayable is retried");
        doubt |= outcome.evidence == Evidence::Unknown && !outcome.method.is_safe();
        attempt += u32::from(counted);
        renewed |= outcome.credentials_renewed;
        reconnected |= outcome.connection_ended;
    }
}

/// One attempt, noted in `history` however it ends.
async fn send<S>(inner: &mut S, request: Request, history: &History) -> Result<Response, Error>
where
    S: Service<Request, Response = Response>,
    S::Error: Into<Error>,
{
    let mut note = Note { history, started: Instant::now(), status: None, failure: None, evidence: None };
    let result = match inner.ready().await {
        Ok(ready) => ready.call(request).await,
        Err(error) => Err(error),
    }
    .map_err(Into::into);
    match &result {
        Ok(response) => {
            (note.status, note.evidence) =
                (Some(response.status()), Some(Evidence::of_status(response.status())));
        }
        Err(error) => {
            (note.status, note.failure, note.evidence) =
                (error.status(), Some(error.kind()), Some(error.evidence()));
        }
    }
    result
}

/// Written down when it is dropped, so that an attempt that the deadline cuts short is told too.
struct Note<'a> {
    history: &'a History,
    started: Instant,
    status: Option<StatusCode>,
    failure: Option<Kind>,
    evidence: Option<Evidence>,
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        let evidence = self.evidence.unwrap_or_else(|| self.history.cut_short());
        self.history.push(Attempt::new(self.status, self.failure, evidence, self.started.elapsed()));
    }
}

/// The last failure, with why it is the last and what can be done.
fn explained(error: Error, stop: &Stop, made: u32, policy: &Policy, outcome: &Outcome) -> Error {
    let error = match outcome.told {
        Some(told) => error.come_back_after(told.wait),
        None => error,
    };
    let error = match stop {
        Stop::NotRetried => return error,
        Stop::QuotaExhausted | Stop::WaitTooLong { .. } if outcome.is_throttled() => {
            error.kind_is(Kind::Limit)
        }
        _ => error,
    };
    if policy.attempts == NonZeroU32::MIN {
        // Whoever wants no retries is not told why there was none.
        return error;
    }
    let plural = if made == 1 { "" } else { "s" };
    let id = match error.answer().and_then(|answer| answer.request_id()) {
        Some(id) => format!(", request id {id}"),
        None => String::new(),
    };
    let error = error.noting(format_args!("gave up after {made} attempt{plural}{id}: {stop}"));
    match stop.advice() {
        Some(advice) if error.advice().is_none() => error.advise(advice),
        _ => error,
    }
}

#[cfg(test)]
mod tests;
