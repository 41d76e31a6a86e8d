//! What somebody sees who looks at the relay: how things stand lately, within bounds.

use std::time::Duration;

use jiff::Timestamp;

use crate::{Attempt, Origin};

/// The longest body that a text is looked for in, in bytes.
pub const MAX_SEARCHED_BYTES: u32 = 64 * 1024;

/// An attempt without its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The status that was answered, if one was.
    pub status: Option<u16>,
    /// Why it failed; `None` if the endpoint took the event.
    pub error: Option<String>,
}

impl From<&Attempt> for Tried {
    fn from(attempt: &Attempt) -> Self {
        let Attempt { at, took, status, error, .. } = attempt;
        Self { at: *at, took: *took, status: *status, error: error.clone() }
    }
}

/// What went on lately at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// Deliveries that wait, those parked included; counted no further than asked.
    pub waiting: u64,
    /// Dead letters; counted no further than asked.
    pub dead: u64,
    /// Attempts of the newest deliveries, the newest first.
    pub tried: Vec<Tried>,
}

/// How far [`Store::activity`](super::Store::activity) looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lately {
    /// How many deliveries of an endpoint, and how many of their attempts.
    pub deliveries: u32,
    /// How far is counted.
    pub count: u32,
}

/// What a delivery is about, and what came of it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Particulars {
    /// Where its event comes from.
    pub origin: Origin,
    /// The type of its event.
    pub event_type: String,
    /// When its event was stored.
    pub at: Timestamp,
    /// What was tried last.
    pub last: Option<Tried>,
}
