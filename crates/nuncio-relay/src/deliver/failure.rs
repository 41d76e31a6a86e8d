//! What a failure says about the endpoint.

use ::http::HeaderMap;
use bytes::Bytes;
use nuncio_client::{Clock, Error, Kind, hints};

use crate::outcome::{Failure, Fault, Outcome};

use super::{MAX_RETRY_AFTER, excerpt};

/// What a failure says. `is_answer` tells whether an answer that came with it is that of the endpoint, and not of whoever gives tokens.
pub(super) fn outcome(error: &Error, is_answer: bool, clock: &Clock) -> Outcome {
    let answer = error.answer().filter(|_| is_answer);
    let fault = match answer {
        Some(answer) => of_status(error.kind(), answer.status.as_u16()),
        None => without_answer(error),
    };
    let told = match answer {
        Some(answer) => wait(&answer.headers, clock),
        None => error.retry_after(),
    };
    Outcome {
        result: Err(Failure {
            fault,
            reason: reason(error),
            retry_after: told.filter(|_| fault == Fault::Throttled).map(|wait| wait.min(MAX_RETRY_AFTER)),
            is_final: false,
        }),
        status: answer.map(|answer| answer.status.as_u16()),
        excerpt: answer.map_or_else(Bytes::new, |answer| excerpt(&answer.body)),
        step: None,
        progress: None,
    }
}

fn wait(headers: &HeaderMap, clock: &Clock) -> Option<std::time::Duration> {
    hints::told(headers, clock.now(), None).map(|told| told.wait)
}

fn of_status(kind: Kind, status: u16) -> Fault {
    match status {
        410 => Fault::Gone,
        429 | 502 | 503 | 504 => Fault::Throttled,
        500.. => Fault::Unavailable,
        _ if kind == Kind::Limit => Fault::Throttled,
        _ => Fault::Refused,
    }
}

fn without_answer(error: &Error) -> Fault {
    match error.kind() {
        Kind::Configuration => Fault::Misconfigured,
        Kind::Auth if is_passing(error.cause().unwrap_or(error)) => Fault::Unavailable,
        Kind::Auth => Fault::Misconfigured,
        Kind::Timeout | Kind::Connect | Kind::Status => Fault::Unavailable,
        Kind::Limit => Fault::Throttled,
        _ => Fault::Refused,
    }
}

/// Whether whoever gives out tokens is only out of reach or under load.
fn is_passing(error: &Error) -> bool {
    match error.status().map(|status| status.as_u16()) {
        Some(status) => status >= 500 || status == 429,
        None => matches!(error.kind(), Kind::Connect | Kind::Timeout | Kind::Limit),
    }
}

/// The error and what led to it on one line, secrets blanked.
fn reason(error: &Error) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        line.push_str(": ");
        line.push_str(&inner.to_string());
        cause = inner.source();
    }
    nuncio_client::excerpt(line.as_bytes())
}
