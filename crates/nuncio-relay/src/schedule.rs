//! When a delivery that failed is tried again.

use std::time::Duration;

use nuncio_client::Random;
use nuncio_service::model::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The waits between the attempts to deliver one event: after as many failures as there are waits, and one more, it is given up.
///
/// By default those that Standard Webhooks recommends (specification, "Deliverability and reliability"): 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h,
/// 20 h, 24 h; ten attempts in a little over three days. Each wait is lengthened by up to a tenth, so that what failed together does not come
/// back together.
///
/// ```
/// use std::time::Duration;
/// use nuncio_client::Random;
/// use nuncio_relay::Schedule;
///
/// let schedule = Schedule::default();
/// let first = schedule.wait(1, &Random::seeded(1)).unwrap();
/// assert!(first >= Duration::from_secs(5) && first < Duration::from_millis(5_500));
/// assert_eq!(schedule.wait(10, &Random::seeded(1)), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Schedule {
    waits: Vec<Span>,
}

impl Schedule {
    /// A schedule of these waits.
    #[must_use]
    pub fn new(waits: impl IntoIterator<Item = Duration>) -> Self {
        Self { waits: waits.into_iter().map(Span).collect() }
    }

    /// How long to wait after attempt `number`, counted from 1, has failed. `None`: it was the last.
    #[must_use]
    pub fn wait(&self, number: u32, random: &Random) -> Option<Duration> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let Span(wait) = *self.waits.get(index)?;
        Some(wait + random.below(wait / 10))
    }
}

impl Default for Schedule {
    fn default() -> Self {
        let waits = [
            5 * SECOND,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            14 * HOUR,
            20 * HOUR,
            24 * HOUR,
        ];
        Self::new(waits.map(Duration::from_secs))
    }
}
