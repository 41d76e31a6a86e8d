//! How far the calls of a delivery are, and where that is written down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nuncio_client::Repeat;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::State;
use crate::store::{Lease, Store};

/// How long to wait when the store cannot be used.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// How far the calls of a delivery are. Steps go by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// How often the delivery had arrived when it was sent again.
    pub round: u32,
    /// Calls that a second copy may do twice, that began, and of which it is not known whether they were made.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub begun: BTreeMap<String, Begun>,
    /// What was answered to calls that were made, as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, String>,
}

/// A call that began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// When, the first time.
    pub at: Timestamp,
    /// Whether it was sent under an idempotency key that the service knows.
    pub keyed: bool,
}

/// How long a service knows an idempotency key: Stripe may forget one after a day.
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

impl Begun {
    /// Whether the call may be made again after `wait`, as it is sent now: once more does no harm then.
    pub(crate) fn may_be_repeated(self, repeat: Repeat, now: Timestamp, wait: Duration) -> bool {
        // As old as it can be when it arrives. A clock that was set back makes nothing younger.
        let age = now.duration_since(self.at).unsigned_abs() + wait;
        match repeat {
            Repeat::Harmless => true,
            Repeat::Deduplicated => self.keyed && age < KEY_LIFETIME,
            Repeat::Harmful => false,
        }
    }
}

impl Progress {
    /// What counts when a delivery that stands at `state` is sent again. One that has arrived is done anew, under other idempotency keys; a dead
    /// letter goes on where it stopped, and what it had begun is begun again: whoever sends it again has seen that it may have been done.
    #[must_use]
    pub fn sent_again(self, state: State) -> Self {
        match state {
            State::Delivered => Self { round: self.round.saturating_add(1), ..Self::default() },
            State::Dead => Self { begun: BTreeMap::new(), ..self },
            State::Waiting | State::Parked => self,
        }
    }
}

/// Where a worker writes down how far a delivery is, as long as the lease is its own.
#[derive(Clone)]
pub struct Journal {
    store: Arc<dyn Store>,
    lease: Lease,
}

/// Somebody else took the delivery over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenOver;

impl Journal {
    /// The journal of this lease.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, lease: Lease) -> Self {
        Self { store, lease }
    }

    /// Writes it down: it is on disk when this returns. While the store cannot be used it tries again, for ever; whoever waits has a clock.
    ///
    /// # Errors
    /// [`TakenOver`], and nothing was written.
    pub async fn note(&self, progress: &Progress) -> Result<(), TakenOver> {
        loop {
            match self.store.note(self.lease, progress.clone()).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(TakenOver),
                Err(error) => {
                    tracing::error!(%error, delivery = %self.lease.delivery, "the progress of a delivery is not written down");
                    sleep(STORE_RETRY).await;
                }
            }
        }
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("lease", &self.lease).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_began_is_repeated_where_that_does_no_harm() {
        let at = Timestamp::from_second(1_760_000_000).unwrap();
        let hours = |hours| at + jiff::SignedDuration::from_hours(hours);
        let (keyed, bare) = (Begun { at, keyed: true }, Begun { at, keyed: false });
        let minute = Duration::from_secs(60);
        for begun in [keyed, bare] {
            assert!(begun.may_be_repeated(Repeat::Harmless, hours(99), minute));
            assert!(!begun.may_be_repeated(Repeat::Harmful, at, minute));
        }
        // One that was sent without a key is not known by the key that it would have now.
        assert!(!bare.may_be_repeated(Repeat::Deduplicated, at, minute));
        for (now, wait, may) in [
            (at, minute, true),
            (hours(23), minute, true),
            (hours(24), minute, false),
            (hours(-24), minute, false),
        ] {
            assert_eq!(keyed.may_be_repeated(Repeat::Deduplicated, now, wait), may, "{now}");
        }
        assert!(!keyed.may_be_repeated(Repeat::Deduplicated, hours(23), Duration::from_secs(3600)));
    }
}
