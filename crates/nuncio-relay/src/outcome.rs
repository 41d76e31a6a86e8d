//! What came of an attempt.

use std::time::Duration;

use bytes::Bytes;

use crate::Progress;

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the endpoint took the event.
    pub result: Result<(), Failure>,
    /// The status that was answered, if one was.
    pub status: Option<u16>,
    /// The first bytes of the answer.
    pub excerpt: Bytes,
    /// The call of a service at which it ended, by the name of its step.
    pub step: Option<String>,
    /// How far the delivery is now. `None`: as far as it was.
    pub progress: Option<Progress>,
}

impl Outcome {
    /// The endpoint took the event, with this status.
    #[must_use]
    pub fn taken(status: u16) -> Self {
        Self { result: Ok(()), status: Some(status), excerpt: Bytes::new(), step: None, progress: None }
    }

    /// It did not.
    #[must_use]
    pub fn failed(fault: Fault, reason: impl Into<String>) -> Self {
        let failure = Failure { fault, reason: reason.into(), retry_after: None, is_final: false };
        Self { result: Err(failure), status: None, excerpt: Bytes::new(), step: None, progress: None }
    }
}

/// Why an endpoint did not take an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is.
    pub fault: Fault,
    /// In words.
    pub reason: String,
    /// How long the endpoint wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the delivery is given up at once: another attempt could do for a second time what may have been done.
    pub is_final: bool,
}

/// Kinds of failure, by what they say about the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It answers, but not that it took the event: 4xx, 3xx, an error of an operation. It says nothing about other events.
    Refused,
    /// It wants less: 429, or 502, 503 and 504, which say that it or what stands before it is under load.
    Throttled,
    /// It cannot be reached, does not answer in time, or fails: 500 and others above.
    Unavailable,
    /// It wants no more events, ever: 410.
    Gone,
    /// It cannot be delivered to as it is set up: an address that is not allowed, credentials that are not there.
    Misconfigured,
}
