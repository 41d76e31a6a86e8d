//! What the layers need to know of the call that a request belongs to.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::Observer;
use crate::history::History;

/// Default bound on the size of a response body that is read whole: 64 MiB, after decompression.
pub const DEFAULT_MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Default time for one attempt, from asking for a connection to the last byte of a body that is read whole.
pub const DEFAULT_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Travels as an extension of each [`http::Request`] through the layers. A request without one is treated by the defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Context {
    /// Name of the operation, for errors, traces and limits by operation.
    pub operation: Option<Arc<str>>,
    /// Whether a copy that reaches the server after another does no harm although the method is POST or PATCH: it carries an idempotency
    /// key, or the service promises it.
    pub repeatable: bool,
    /// Tokens that an attempt takes from each bucket. Default 1.
    pub cost: NonZeroU32,
    /// Which of the buckets of a keyed limit it takes them from.
    pub limit_key: Option<Arc<str>>,
    /// When the whole call must be over. Set by the deadline layer.
    pub deadline: Option<Instant>,
    /// Time for one attempt. Default 30 s.
    pub attempt_timeout: Duration,
    /// How the body of a successful answer is read.
    pub read: Read,
    /// The attempts so far.
    pub history: History,
    /// Is told what happens.
    pub observer: Observer,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            operation: None,
            repeatable: false,
            cost: NonZeroU32::MIN,
            limit_key: None,
            deadline: None,
            attempt_timeout: DEFAULT_ATTEMPT_TIMEOUT,
            read: Read::Whole { max_bytes: DEFAULT_MAX_BODY_BYTES },
            history: History::default(),
            observer: Observer::default(),
        }
    }
}

impl Context {
    /// The context of `request`, or the defaults.
    #[must_use]
    pub fn of<B>(request: &http::Request<B>) -> Self {
        request.extensions().get().cloned().unwrap_or_default()
    }

    /// Time left until the deadline; nothing when there is none.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

/// How the body of a successful answer is read. The body of a failure is always read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Inside the attempt, so that a body that breaks off is a failed attempt; an answer of more than `max_bytes` is an error.
    Whole {
        /// Bound in bytes, after decompression.
        max_bytes: usize,
    },
    /// By whoever has the response, as it comes in. The attempt timeout then bounds the wait for each piece.
    Stream,
}
