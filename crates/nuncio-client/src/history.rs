//! The attempts of one call: what each came to, and the waits between them.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

use crate::Kind;

/// Whether a server can have acted on a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The request did not leave, or not as a whole: no connection, or it was closed before anything was written.
    NeverSent,
    /// The server says that it did nothing: 429, 401, 425, an HTTP/2 stream refused.
    Rejected,
    /// Anything may have happened: a timeout, a reset, a 5xx. A 503 with `Retry-After` too: edges put it on requests that the origin has
    /// applied.
    Unknown,
}

impl Evidence {
    /// What an answer with `status` proves.
    ///
    /// A 4xx says that the request was not acted on, but for 408, where the server gave up waiting, and 409, which may mean that an
    /// earlier copy is at work.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT => Self::Unknown,
            status if status.is_client_error() => Self::Rejected,
            _ => Self::Unknown,
        }
    }
}

/// What one attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Status of the answer, if there was one.
    pub status: Option<StatusCode>,
    /// Kind of the failure, if it failed.
    pub failure: Option<Kind>,
    /// Whether the server can have acted on it.
    pub evidence: Evidence,
    /// From asking the inner layers to their answer, waiting for the limiter included.
    pub took: Duration,
    /// How long was waited after it, before the next attempt.
    pub waited: Duration,
}

impl Attempt {
    /// An attempt that nothing was waited after (yet).
    #[must_use]
    pub fn new(
        status: Option<StatusCode>,
        failure: Option<Kind>,
        evidence: Evidence,
        took: Duration,
    ) -> Self {
        Self { status, failure, evidence, took, waited: Duration::ZERO }
    }
}

/// The attempts of one call so far. Copies share one list, so that the deadline can tell what the retries inside it did.
#[derive(Debug, Clone, Default)]
pub struct History(Arc<Mutex<Course>>);

#[derive(Debug, Default)]
struct Course {
    attempts: Vec<Attempt>,
    /// Whether a request is out whose attempt has not ended.
    is_out: bool,
}

impl History {
    /// Adds an attempt that ended.
    pub fn push(&self, attempt: Attempt) {
        self.with(|course| {
            course.attempts.push(attempt);
            course.is_out = false;
        });
    }

    /// Notes that the request of an attempt goes out. What was not noted counts as never sent when the attempt is cut short.
    pub fn sending(&self) {
        self.with(|course| course.is_out = true);
    }

    /// Whether the server can have acted on any attempt so far, one that is under way or was cut short included: what is known of a call
    /// that did not get to its end.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.with(|course| {
            let has = |evidence| course.attempts.iter().any(|attempt| attempt.evidence == evidence);
            if course.is_out || has(Evidence::Unknown) {
                Evidence::Unknown
            } else if has(Evidence::Rejected) {
                Evidence::Rejected
            } else {
                Evidence::NeverSent
            }
        })
    }

    /// What is known of an attempt that is cut short.
    pub(crate) fn cut_short(&self) -> Evidence {
        self.with(|course| if course.is_out { Evidence::Unknown } else { Evidence::NeverSent })
    }

    /// Notes a wait after the last attempt.
    pub fn waited(&self, wait: Duration) {
        self.with(|course| {
            if let Some(last) = course.attempts.last_mut() {
                last.waited += wait;
            }
        });
    }

    /// All attempts so far, first to last.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.with(|course| course.attempts.clone())
    }

    /// Number of attempts so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.with(|course| course.attempts.len())
    }

    /// Whether nothing was tried yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the waits between attempts.
    #[must_use]
    pub fn total_wait(&self) -> Duration {
        self.with(|course| course.attempts.iter().map(|attempt| attempt.waited).sum())
    }

    /// One line such as `3 attempts (503, 503, timeout), waited 3.2 s`; nothing when nothing was tried.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        let attempts = self.attempts();
        if attempts.is_empty() {
            return None;
        }
        let outcomes: Vec<String> = attempts.iter().map(outcome).collect();
        let plural = if attempts.len() == 1 { "" } else { "s" };
        let mut line = format!("{} attempt{plural} ({})", attempts.len(), outcomes.join(", "));
        let waited = self.total_wait();
        if !waited.is_zero() {
            let _ = write!(line, ", waited {:.1} s", waited.as_secs_f64());
        }
        Some(line)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Course) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn outcome(attempt: &Attempt) -> String {
    match (attempt.status, attempt.failure) {
        (Some(status), _) => status.as_u16().to_string(),
        (None, Some(kind)) => kind.name().to_owned(),
        (None, None) => "cancelled".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_that_may_have_been_acted_on_leaves_the_call_in_doubt() {
        let history = History::default();
        let ended = |evidence| history.push(Attempt::new(None, None, evidence, Duration::ZERO));
        assert_eq!(history.evidence(), Evidence::NeverSent);
        ended(Evidence::Rejected);
        ended(Evidence::NeverSent);
        assert_eq!(history.evidence(), Evidence::Rejected);
        history.sending();
        assert_eq!(history.evidence(), Evidence::Unknown);
        ended(Evidence::Rejected);
        assert_eq!(history.evidence(), Evidence::Rejected);
        ended(Evidence::Unknown);
        ended(Evidence::Rejected);
        assert_eq!(history.evidence(), Evidence::Unknown);
    }
}
