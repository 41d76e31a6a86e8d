//! What an attempt that failed says about the next.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;

use super::Policy;
use crate::auth::Renewed;
use crate::hints::{self, Told, rate_limit};
use crate::{Answer, Clock, Error, Evidence, Kind, Response};

/// A failed attempt, whether an inner layer made an error of it or handed on the answer as it came.
pub(super) struct Failure<'a> {
    pub(super) answer: Option<Cow<'a, Answer>>,
    pub(super) kind: Option<Kind>,
    pub(super) evidence: Evidence,
    pub(super) lasting: bool,
    /// The wait that an inner layer read from the answer.
    told: Option<Duration>,
}

impl<'a> Failure<'a> {
    /// Nothing for a success.
    pub(super) fn of(result: &'a Result<Response, Error>, policy: &Policy) -> Option<Self> {
        match result {
            Ok(response) => {
                let status = response.status();
                let failed = status.is_client_error() || status.is_server_error();
                (failed || policy.statuses.contains(&status)).then(|| Self {
                    answer: Some(Cow::Owned(answer(response))),
                    kind: None,
                    evidence: Evidence::of_status(status),
                    lasting: false,
                    told: None,
                })
            }
            Err(error) => Some(Self {
                answer: error.answer().map(Cow::Borrowed),
                kind: Some(error.kind()),
                evidence: error.evidence(),
                lasting: error.is_lasting(),
                told: error.retry_after(),
            }),
        }
    }

    pub(super) fn told(&self, clock: &Clock) -> Option<Told> {
        if let Some(wait) = self.told {
            return Some(Told { wait, by: "the answer" });
        }
        let (headers, now) = (&self.answer.as_ref()?.headers, clock.now());
        let exhausted = rate_limit::parse(headers, now).into_iter().filter(|limit| limit.remaining == 0);
        // A reset that is past, and still nothing remains: one of the clocks is wrong, and the backoff knows better than to try at once.
        let reset = exhausted.map(|limit| limit.reset_after).max().filter(|reset| !reset.is_zero());
        hints::told(headers, now, reset)
    }

    pub(super) fn should_retry(&self, policy: &Policy) -> Option<bool> {
        hints::should_retry(&self.answer.as_ref()?.headers, &policy.hints)
    }

    pub(super) fn quota_exhausted(&self, policy: &Policy) -> bool {
        match (&policy.quota, &self.answer) {
            (Some(quota), Some(answer)) => quota(answer),
            _ => false,
        }
    }

    /// The connection said that it had not got to the request: an HTTP/2 stream that was refused. Without an answer nothing else is,
    /// but for a handshake that comes to the same each time.
    pub(super) fn connection_ended(&self) -> bool {
        let was_refused = self.kind == Some(Kind::Connect) && self.evidence == Evidence::Rejected;
        self.answer.is_none() && was_refused && !self.lasting
    }

    pub(super) fn credentials_renewed(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.credentials_renewed)
    }
}

/// Without its body, if that is still coming in: whoever gets the response in the end has to find it whole.
fn answer(response: &Response) -> Answer {
    let body = Bytes::copy_from_slice(response.body().as_bytes().unwrap_or_default());
    let mut answer = Answer::new(response.status(), response.headers().clone(), body);
    answer.credentials_renewed = response.extensions().get::<Renewed>().is_some();
    answer
}
