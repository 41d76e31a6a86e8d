//! Whether to try again, and when: a decision made from values alone.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, StatusCode};

use super::Backoff;
use crate::hints::Told;
use crate::{Answer, Evidence, Kind};

/// Attempts in all, the first included.
pub const DEFAULT_ATTEMPTS: NonZeroU32 = NonZeroU32::new(5).expect("5 is not zero");

/// The longest wait that a server can ask for and get.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(300);

/// Statuses that another attempt can change. Not 501 and 505: the server will not learn a method or a version meanwhile.
pub const DEFAULT_STATUSES: [StatusCode; 7] = [
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::TOO_EARLY,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// The header by which several services say whether to try again.
pub const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Tells from an answer that it is about a quota.
pub type QuotaPredicate = Arc<dyn Fn(&Answer) -> bool + Send + Sync>;

/// When a failed attempt is repeated.
///
/// As an extension (`Arc<Policy>`) of a request it stands in for the policy of the layer.
///
/// ```
/// use std::time::Duration;
/// use nuncio_client::retry::{Backoff, Jitter, Policy};
///
/// let patient = Policy {
///     max_wait: Duration::from_secs(3_600),
///     backoff: Backoff { jitter: Jitter::Full, ..Backoff::default() },
///     ..Policy::default()
/// };
/// ```
#[derive(Clone)]
pub struct Policy {
    /// Attempts in all, the first included. Default: [`DEFAULT_ATTEMPTS`]; 1 means no retry.
    pub attempts: NonZeroU32,
    /// The waits that no server asked for.
    pub backoff: Backoff,
    /// Statuses that are retried. Default: [`DEFAULT_STATUSES`].
    pub statuses: Vec<StatusCode>,
    /// A server that asks for a longer wait is not waited for: the call fails at once and says when to come back. A wait is never cut
    /// short. Default: [`DEFAULT_MAX_WAIT`].
    pub max_wait: Duration,
    /// Tells a 429 that means an exhausted quota, which no wait within a call helps, from one that means "slower". Default: none does.
    pub quota: Option<QuotaPredicate>,
    /// Headers by which the server says outright whether to try again. Default: [`SHOULD_RETRY`].
    pub hints: Vec<HeaderName>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: DEFAULT_ATTEMPTS,
            backoff: Backoff::default(),
            statuses: DEFAULT_STATUSES.to_vec(),
            max_wait: DEFAULT_MAX_WAIT,
            quota: None,
            hints: vec![SHOULD_RETRY],
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("attempts", &self.attempts)
            .field("backoff", &self.backoff)
            .field("statuses", &self.statuses)
            .field("max_wait", &self.max_wait)
            .field("quota", &self.quota.is_some())
            .field("hints", &self.hints)
            .finish()
    }
}

/// All that a decision depends on.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Method of the request.
    pub method: Method,
    /// Whether a second copy does no harm whatever the method: see [`Context::repeatable`](crate::Context::repeatable).
    pub repeatable: bool,
    /// Whether the body can be sent again.
    pub replayable: bool,
    /// Number of this attempt, from 1. Attempts that do not count are left out.
    pub attempt: u32,
    /// Whether the server can have acted on the request.
    pub evidence: Evidence,
    /// Status of the answer, if there was one.
    pub status: Option<StatusCode>,
    /// Kind of the failure, where an inner layer named it.
    pub kind: Option<Kind>,
    /// Whether an inner layer knows that another attempt would fail the same way.
    pub lasting: bool,
    /// After this 401 the credentials were renewed, for the first time in this call.
    pub credentials_renewed: bool,
    /// The connection took no more requests and this one was not acted on, for the first time in this call.
    pub connection_ended: bool,
    /// The wait that the server asked for.
    pub told: Option<Told>,
    /// Whether the server said outright that another attempt makes sense.
    pub should_retry: Option<bool>,
    /// Whether [`Policy::quota`] says that a quota is exhausted.
    pub quota_exhausted: bool,
    /// The wait that [`Policy::backoff`] came to.
    pub backoff: Duration,
    /// Time until the deadline of the call; nothing when there is none.
    pub time_left: Option<Duration>,
}

impl Outcome {
    /// The server was asked too fast or too much, and said so by a status or within the body.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        match self.kind {
            Some(Kind::Limit | Kind::GraphQl) if self.evidence == Evidence::Rejected => self.status.is_some(),
            _ => self.status == Some(StatusCode::TOO_MANY_REQUESTS),
        }
    }

    /// Whether another attempt is load that the server did not ask for. After a refusal with a wait it is none: the server did no work for
    /// the attempt that it refused, and said itself when to come back. A 503 is a failure, with a wait or without.
    pub(super) fn adds_load(&self) -> bool {
        self.told.is_none() || !self.is_throttled()
    }

    /// A second copy cannot do what the first one did already.
    fn is_safe_to_repeat(&self) -> bool {
        self.evidence != Evidence::Unknown || self.method.is_idempotent() || self.repeatable
    }

    fn cause(&self) -> String {
        match (self.status, self.kind) {
            (Some(status), _) => status.as_u16().to_string(),
            (None, Some(kind)) => kind.name().to_owned(),
            (None, None) => "failure".to_owned(),
        }
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Try again.
    Retry {
        /// After exactly this time.
        after: Duration,
        /// What failed and who chose the wait.
        reason: String,
        /// Whether the next attempt counts towards [`Policy::attempts`] and, unless it comes when a server that refused this one told it to,
        /// towards the budget.
        counted: bool,
    },
    /// Let it be.
    GiveUp(Stop),
}

/// Why there is no other attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// Failures of this sort stay failures.
    NotRetried,
    /// The server said that trying again makes no sense.
    Forbidden,
    /// A quota is exhausted.
    QuotaExhausted,
    /// The server asks for a longer wait than we are willing to wait.
    WaitTooLong {
        /// What the server asked for, and where.
        told: Told,
        /// [`Policy::max_wait`].
        max: Duration,
    },
    /// The server may have acted on the request, and doing it twice may do harm.
    Unsafe(Method),
    /// The body could be read once, and was.
    BodySpent,
    /// [`Policy::attempts`] were made.
    AttemptsSpent,
    /// The call would be over before the wait is.
    DeadlineTooClose {
        /// The wait before the next attempt.
        wait: Duration,
        /// Time until the deadline.
        left: Duration,
    },
    /// Retries are too large a part of the load on the host: see [`Budget`](super::Budget).
    BudgetSpent,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRetried => f.write_str("another attempt would fail the same way"),
            Self::Forbidden => f.write_str("the server says that trying again makes no sense"),
            Self::QuotaExhausted => f.write_str("a quota is exhausted"),
            Self::WaitTooLong { told, max } => {
                write!(
                    f,
                    "{} asks for a wait of {:?}, and we wait at most {max:?}",
                    told.by,
                    rounded(told.wait)
                )
            }
            Self::Unsafe(method) => {
                write!(
                    f,
                    "the server may have acted on it, and a {method} without an idempotency key could act twice"
                )
            }
            Self::BodySpent => f.write_str("the body can be sent only once"),
            Self::AttemptsSpent => f.write_str("the policy allows no more"),
            Self::DeadlineTooClose { left, .. } if left.is_zero() => {
                f.write_str("the deadline of the call has passed")
            }
            Self::DeadlineTooClose { wait, left } => {
                let (wait, left) = (rounded(*wait), rounded(*left));
                write!(f, "the next would come after {wait:?}, and the deadline is in {left:?}")
            }
            Self::BudgetSpent => f.write_str("retries are too large a part of the load on this host"),
        }
    }
}

impl Stop {
    /// What a person can do about it.
    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::WaitTooLong { .. } => Some("come back later, or be willing to wait longer"),
            Self::Unsafe(_) => {
                Some("find out whether it was done before trying again, or send an idempotency key")
            }
            Self::DeadlineTooClose { .. } => Some("allow more time for the whole call"),
            Self::BodySpent => Some("give the body as bytes or as something that can be read anew"),
            Self::NotRetried
            | Self::Forbidden
            | Self::QuotaExhausted
            | Self::AttemptsSpent
            | Self::BudgetSpent => None,
        }
    }
}

/// To tenths of a second, or milliseconds below one, for people.
fn rounded(duration: Duration) -> Duration {
    let unit_ms = if duration < Duration::from_secs(1) { 1 } else { 100 };
    let units = (duration.as_millis() + unit_ms / 2) / unit_ms;
    Duration::from_millis(u64::try_from(units * unit_ms).unwrap_or(u64::MAX))
}

impl Policy {
    /// Decides from `outcome` alone: the same outcome, the same decision.
    ///
    /// - After a 401 whose credentials were renewed: once more at once, without being counted.
    /// - Where a connection ended before it got to the request: the same. Servers end connections all the time, and every call that was on
    ///   its way then would wait and draw on the budget though nothing is wrong.
    /// - The server's outright word comes next. `false` forbids; `true` stands in for the table of statuses but not for safety: services
    ///   that send it count on an idempotency key.
    /// - A wait that the server asked for is waited exactly. Nothing is added to it: the limiter spreads those who wake up together.
    #[must_use]
    pub fn decide(&self, outcome: &Outcome) -> Decision {
        if outcome.credentials_renewed && outcome.replayable {
            let reason = format!("{}, the credentials were renewed", outcome.cause());
            return Decision::Retry { after: Duration::ZERO, reason, counted: false };
        }
        if outcome.connection_ended && outcome.replayable {
            let reason = "the connection takes no more requests".to_owned();
            return Decision::Retry { after: Duration::ZERO, reason, counted: false };
        }
        let (after, by) = outcome.told.map_or((outcome.backoff, "backoff"), |told| (told.wait, told.by));
        match self.obstacle(outcome, after) {
            Some(stop) => Decision::GiveUp(stop),
            None => {
                Decision::Retry { after, reason: format!("{}, wait by {by}", outcome.cause()), counted: true }
            }
        }
    }

    /// The first that holds is the reason given, from what no setting changes to what a little more time would.
    fn obstacle(&self, outcome: &Outcome, after: Duration) -> Option<Stop> {
        if outcome.should_retry == Some(false) {
            return Some(Stop::Forbidden);
        }
        if !self.can_change(outcome) {
            return Some(Stop::NotRetried);
        }
        if outcome.quota_exhausted && outcome.is_throttled() {
            return Some(Stop::QuotaExhausted);
        }
        if let Some(told) = outcome.told.filter(|told| told.wait > self.max_wait) {
            return Some(Stop::WaitTooLong { told, max: self.max_wait });
        }
        if !outcome.is_safe_to_repeat() {
            return Some(Stop::Unsafe(outcome.method.clone()));
        }
        if !outcome.replayable {
            return Some(Stop::BodySpent);
        }
        if outcome.attempt >= self.attempts.get() {
            return Some(Stop::AttemptsSpent);
        }
        let left = outcome.time_left.filter(|left| *left <= after)?;
        Some(Stop::DeadlineTooClose { wait: after, left })
    }

    /// Whether another attempt can come to something else.
    fn can_change(&self, outcome: &Outcome) -> bool {
        outcome.credentials_renewed
            || outcome.should_retry == Some(true)
            || outcome.is_throttled() && self.statuses.contains(&StatusCode::TOO_MANY_REQUESTS)
            || matches!(outcome.kind, Some(Kind::Connect | Kind::Timeout)) && !outcome.lasting
            || outcome.status.is_some_and(|status| self.statuses.contains(&status))
    }
}

#[cfg(test)]
mod tests;
