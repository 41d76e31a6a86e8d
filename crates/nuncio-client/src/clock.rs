//! Time of day and chance, handed in so that tests decide them.
//!
//! Durations and waits go by `tokio::time`, which tests pause. Only what must agree with the rest of the world, such as a
//! signed timestamp or a `Retry-After` date, asks a [`Clock`].

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Tells the time of day.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The clock of this machine.
    #[must_use]
    pub fn system() -> Self {
        #[allow(clippy::disallowed_methods, reason = "the one place that asks the machine")]
        Self(Arc::new(SystemTime::now))
    }

    /// A clock that shows what `now` tells.
    #[must_use]
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// A clock that shows `start` now and then moves with `tokio::time`, paused or advanced with it.
    #[must_use]
    pub fn starting_at(start: SystemTime) -> Self {
        let origin = Instant::now();
        Self(Arc::new(move || start + origin.elapsed()))
    }

    /// A clock that always shows `time`.
    #[must_use]
    pub fn fixed(time: SystemTime) -> Self {
        Self(Arc::new(move || time))
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }

    /// Time since 1970-01-01T00:00:00Z; zero for a clock set before it.
    #[must_use]
    pub fn since_epoch(&self) -> Duration {
        self.now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// A source of chance: jitter, nonces, idempotency keys, multipart boundaries. Copies share one sequence.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<fastrand::Rng>>);

impl Random {
    /// Seeded from the operating system. Unpredictable enough for uniqueness, not for keys.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::new())))
    }

    /// The same sequence for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// A duration of at least zero and less than `bound`; zero when `bound` is zero.
    #[must_use]
    pub fn below(&self, bound: Duration) -> Duration {
        bound.mul_f64(self.with(fastrand::Rng::f64))
    }

    /// 128 random bits as a version 4 UUID (RFC 9562, section 5.4).
    #[must_use]
    pub fn uuid(&self) -> String {
        uuid(4, self.bits().to_be_bytes())
    }

    /// 128 random bits.
    #[must_use]
    pub fn bits(&self) -> u128 {
        self.with(|rng| rng.u128(..))
    }

    fn with<T>(&self, f: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

/// The text of a UUID made of `bytes`, but for the bits that tell its version and variant (RFC 9562, sections 4.1 and 4.2).
///
/// ```
/// assert_eq!(nuncio_client::uuid(8, [0xff; 16]), "ffffffff-ffff-8fff-bfff-ffffffffffff");
/// ```
#[must_use]
pub fn uuid(version: u8, mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let uuid = Random::seeded(7).uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!("89ab".contains(&uuid[19..20]));
    }

    #[test]
    fn a_duration_below_zero_is_zero() {
        assert_eq!(Random::seeded(7).below(Duration::ZERO), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_started_clock_moves_with_paused_time() {
        let clock = Clock::starting_at(UNIX_EPOCH);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(clock.since_epoch(), Duration::from_secs(60));
    }
}
