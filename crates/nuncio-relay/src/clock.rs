//! The time, and what becomes of it when the clock of the machine is set.
//!
//! - What is shown and signed goes by the time of day.
//! - Waits and leases go by a clock that does not jump ([`Clock::starting_at`]): see [`Handle::now`](crate::dispatch::Handle::now).
//! - Ages, by which something is given up, forgotten or removed, go by [`patient`]: a clock that was set forward has a day to be set right.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use nuncio_client::Clock;
use tokio::time::Instant;

/// How long a clock has to be ahead to be believed.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// What clocks differ by in a day without being set.
const DRIFT: Duration = Duration::from_secs(60);

/// The time as it is stored: to the millisecond.
pub(crate) fn now(clock: &Clock) -> Timestamp {
    let millis = i64::try_from(clock.since_epoch().as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// Never ahead of `clock`, and a jump forward is followed only when it has stood for a day: until then it goes on evenly.
pub(crate) fn patient(clock: Clock) -> Clock {
    let pace = Mutex::new(Pace::new(clock.now()));
    Clock::new(move || {
        let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.at(clock.now(), Instant::now())
    })
}

/// The clock that goes on evenly.
struct Pace {
    start: (SystemTime, Instant),
    ahead: Option<Ahead>,
}

/// How far the clock that is asked was found to be ahead, and when.
#[derive(Clone, Copy)]
struct Ahead {
    by: Duration,
    since: Instant,
}

impl Pace {
    fn new(now: SystemTime) -> Self {
        Self { start: (now, Instant::now()), ahead: None }
    }

    fn at(&mut self, told: SystemTime, instant: Instant) -> SystemTime {
        let (start, since) = self.start;
        let even = start + instant.duration_since(since);
        if let Ok(by) = told.duration_since(even)
            && by > DRIFT
        {
            // Another jump has its own day.
            let ahead = self.ahead.filter(|ahead| by.abs_diff(ahead.by) <= DRIFT);
            let ahead = *self.ahead.insert(ahead.unwrap_or(Ahead { by, since: instant }));
            if instant - ahead.since < PATIENCE {
                return even;
            }
        }
        *self = Self { start: (told, instant), ahead: None };
        told
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::UNIX_EPOCH;

    use tokio::time::advance;

    use super::*;

    const HOUR: i64 = 3_600;

    /// A clock that can be set, the patient one over it, and what that one shows, in hours since they began.
    fn clocks() -> (Arc<AtomicI64>, impl Fn() -> f64) {
        let set = Arc::new(AtomicI64::new(0));
        let origin = Instant::now();
        let start = UNIX_EPOCH + Duration::from_secs(1_760_000_000);
        let offset = Arc::clone(&set);
        let told = move || {
            let offset = offset.load(Ordering::Relaxed);
            let by = Duration::from_secs(offset.unsigned_abs());
            let even = start + origin.elapsed();
            if offset < 0 { even - by } else { even + by }
        };
        let patient = patient(Clock::new(told));
        let shown = move || match patient.now().duration_since(start) {
            Ok(after) => after.as_secs_f64() / 3600.0,
            Err(before) => -before.duration().as_secs_f64() / 3600.0,
        };
        (set, shown)
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_forward_that_is_put_right_within_a_day_was_never_there() {
        let (set, shown) = clocks();
        set.store(168 * HOUR, Ordering::Relaxed);
        assert!((shown() - 0.0).abs() < 1e-6);
        advance(Duration::from_secs(23 * 3_600)).await;
        assert!((shown() - 23.0).abs() < 1e-6);
        set.store(0, Ordering::Relaxed);
        assert!((shown() - 23.0).abs() < 1e-6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_stays_ahead_for_a_day_is_believed() {
        let (set, shown) = clocks();
        set.store(168 * HOUR, Ordering::Relaxed);
        shown();
        advance(Duration::from_secs(12 * 3_600)).await;
        set.store(169 * HOUR, Ordering::Relaxed);
        assert!((shown() - 12.0).abs() < 1e-6);
        advance(Duration::from_secs(23 * 3_600)).await;
        assert!((shown() - 35.0).abs() < 1e-6);
        advance(Duration::from_secs(3_600)).await;
        assert!((shown() - 205.0).abs() < 1e-6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_runs_a_little_fast_is_followed() {
        let (set, shown) = clocks();
        for seconds in 1..=100 {
            set.store(seconds, Ordering::Relaxed);
            assert!((shown() - seconds as f64 / 3600.0).abs() < 1e-6);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_back_is_followed_at_once() {
        let (set, shown) = clocks();
        set.store(-168 * HOUR, Ordering::Relaxed);
        assert!((shown() + 168.0).abs() < 1e-6);
        advance(Duration::from_secs(3_600)).await;
        assert!((shown() + 167.0).abs() < 1e-6);
    }
}
