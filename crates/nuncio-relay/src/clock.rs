//! The time of day as it is stored: to the millisecond.

use jiff::Timestamp;
use nuncio_client::Clock;

/// The time of day.
pub(crate) fn now(clock: &Clock) -> Timestamp {
    let millis = i64::try_from(clock.since_epoch().as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}
