//! When a delivery that failed is tried again.

use std::time::Duration;

use nuncio_client::Random;
use serde::{Deserialize, Serialize};

const SECOND: u32 = 1;
const MINUTE: u32 = 60 * SECOND;
const HOUR: u32 = 60 * MINUTE;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedule {
    /// The waits in seconds.
    waits: Vec<u32>,
}

impl Schedule {
    /// A schedule of these waits, in seconds.
    #[must_use]
    pub fn new(waits: Vec<u32>) -> Self {
        Self { waits }
    }

    /// How long to wait after attempt `number`, counted from 1, has failed. `None`: it was the last.
    #[must_use]
    pub fn wait(&self, number: u32, random: &Random) -> Option<Duration> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let wait = Duration::from_secs((*self.waits.get(index)?).into());
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
        Self { waits: waits.to_vec() }
    }
}
