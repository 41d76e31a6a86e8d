//! Endpoints: where events go, and how.

use std::num::NonZeroU32;
use std::time::Duration;

use nuncio_client::limit::Refill;

use crate::Schedule;

/// How an endpoint is delivered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// When what failed is tried again. Default: the schedule of Standard Webhooks.
    pub schedule: Schedule,
    /// How many attempts may be under way at most. Default: 32.
    pub concurrency: NonZeroU32,
    /// How many attempts may begin in some time. Default: no bound.
    pub rate: Option<Refill>,
    /// How long one attempt may take. Default: 30 s.
    pub timeout: Duration,
    /// How old an event may be that is still tried, measured from when it was stored. Default: 5 days.
    pub expires_after: Duration,
    /// How long an endpoint may do nothing but fail before it is disabled. Default: 5 days.
    pub disable_after: Duration,
}

/// A day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Pace {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            concurrency: NonZeroU32::new(32).unwrap_or(NonZeroU32::MIN),
            rate: None,
            timeout: Duration::from_secs(30),
            expires_after: 5 * DAY,
            disable_after: 5 * DAY,
        }
    }
}
