//! The token bucket, as a value: no waiting, no clock of its own.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use super::Refill;

/// Holds at most `capacity` tokens, starts full, and gains tokens evenly.
///
/// In no stretch of time `t`, wherever it starts, does it give out more than `capacity + refill · t` tokens. The arithmetic is exact
/// (a level counts fractions of tokens in whole numbers), so this holds after days of odd intervals too.
///
/// ```
/// use std::{num::NonZeroU32, time::Duration};
/// use nuncio_client::limit::{Bucket, Refusal};
/// use tokio::time::Instant;
///
/// let start = Instant::now();
/// let mut bucket = Bucket::new(NonZeroU32::new(10).unwrap(), "2/s".parse()?, start);
/// assert_eq!(bucket.consume(10, start), Ok(()));
/// assert_eq!(bucket.consume(1, start), Err(Refusal::Until(start + Duration::from_millis(500))));
/// assert_eq!(bucket.consume(11, start), Err(Refusal::OverCapacity));
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Bucket {
    capacity: NonZeroU32,
    refill: Refill,
    /// In shares of the refill (see [`Refill::shares`]), as it was at `counted`.
    level: u128,
    counted: Instant,
}

/// Why a [`Bucket`] does not give tokens now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It will have them then, if nobody else takes any.
    Until(Instant),
    /// It will never have that many at once.
    OverCapacity,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(capacity: NonZeroU32, refill: Refill, now: Instant) -> Self {
        Self { capacity, refill, level: refill.shares(capacity.get().into()), counted: now }
    }

    /// Takes `tokens`, all or none. Zero tokens are always there. A `now` before an earlier one counts as that one.
    ///
    /// # Errors
    /// [`Refusal`], and nothing is taken.
    pub fn consume(&mut self, tokens: u32, now: Instant) -> Result<(), Refusal> {
        if tokens > self.capacity.get() {
            return Err(Refusal::OverCapacity);
        }
        match self.opens_at(tokens.into(), now) {
            Some(at) => Err(Refusal::Until(at)),
            None => {
                self.take(tokens, now);
                Ok(())
            }
        }
    }

    /// Whole tokens that are there.
    #[must_use]
    pub fn level(&self, now: Instant) -> u32 {
        let tokens = self.level_at(now) / self.refill.shares(1);
        u32::try_from(tokens).expect("a level is at most the capacity")
    }

    /// The most that it holds.
    #[must_use]
    pub fn capacity(&self) -> NonZeroU32 {
        self.capacity
    }

    /// Changes the quota. What is there stays there, as far as it fits: a larger capacity is filled by the refill.
    pub fn set_quota(&mut self, capacity: NonZeroU32, refill: Refill, now: Instant) {
        let level = self.level_at(now);
        let (old, new) = (self.refill.shares(1), refill.shares(1));
        // Tokens and their fraction apart, because their product with a period need not fit. A period has less than 2^62
        // nanoseconds, so the fraction's does. Rounded down: never more than there was.
        let same = (level / old) * new + (level % old) * new / old;
        self.level = same.min(refill.shares(capacity.get().into()));
        self.counted = self.counted.max(now);
        self.capacity = capacity;
        self.refill = refill;
    }

    /// When it will have given out what is there now and `tokens` are left to take; nothing when they are there. More than the
    /// capacity is taken as several asking one after the other.
    #[must_use]
    pub fn opens_at(&self, tokens: u64, now: Instant) -> Option<Instant> {
        let missing =
            self.refill.shares(tokens).checked_sub(self.level_at(now)).filter(|shares| *shares > 0)?;
        Some(after(self.counted.max(now), self.refill.time_for(missing)))
    }

    /// When it is full if nothing is taken any more.
    pub(super) fn full_at(&self, now: Instant) -> Instant {
        self.opens_at(self.capacity.get().into(), now).unwrap_or(now)
    }

    /// Takes tokens that [`opens_at`](Self::opens_at) found there.
    pub(super) fn take(&mut self, tokens: u32, now: Instant) {
        self.level = self.level_at(now) - self.refill.shares(tokens.into());
        self.counted = self.counted.max(now);
    }

    fn level_at(&self, now: Instant) -> u128 {
        let gained = self.refill.accrued(now.saturating_duration_since(self.counted));
        self.level.saturating_add(gained).min(self.refill.shares(self.capacity.get().into()))
    }
}

/// `from + wait`; a wait that no clock can show becomes a century.
pub(super) fn after(from: Instant, wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
    from + wait.min(CENTURY)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limit::window_check::{Grant, assert_no_window_exceeds};

    fn count(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).expect("not zero")
    }

    fn bucket(capacity: u32, refill: &str, now: Instant) -> Bucket {
        Bucket::new(count(capacity), refill.parse().expect(refill), now)
    }

    #[test]
    fn a_refused_request_takes_nothing() {
        let start = Instant::now();
        let mut bucket = bucket(3, "1/s", start);
        assert_eq!(bucket.consume(2, start), Ok(()));
        assert_eq!(bucket.consume(2, start), Err(Refusal::Until(start + Duration::from_secs(1))));
        assert_eq!(bucket.consume(1, start), Ok(()));
    }

    #[test]
    fn the_time_it_names_is_the_first_at_which_it_gives() {
        let start = Instant::now();
        let mut bucket = bucket(1, "7/s", start);
        assert_eq!(bucket.consume(1, start), Ok(()));
        let Err(Refusal::Until(at)) = bucket.consume(1, start) else { panic!("it is empty") };
        assert!(bucket.consume(1, at - Duration::from_nanos(1)).is_err());
        assert_eq!(bucket.consume(1, at), Ok(()));
    }

    #[test]
    fn two_days_of_odd_intervals_do_not_drift() {
        let start = Instant::now();
        let mut bucket = bucket(2, "7/s", start);
        let mut now = start;
        let mut given = 0_u64;
        let days = Duration::from_secs(2 * 86_400);
        // A step is shorter than a token takes, so that the bucket is never full.
        while now < start + days {
            given += u64::from(bucket.consume(1, now).is_ok());
            now += Duration::from_nanos(99_999_989);
        }
        // The last two tokens may still be there or on their way.
        let due = 2 + 7 * days.as_secs();
        assert!((due - 2..=due).contains(&given), "{given} of {due}");
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_twice() {
        let start = Instant::now();
        let later = start + Duration::from_secs(10);
        let mut bucket = bucket(1, "1/s", start);
        assert_eq!(bucket.consume(1, later), Ok(()));
        assert_eq!(bucket.consume(1, start), Err(Refusal::Until(later + Duration::from_secs(1))));
        assert!(bucket.consume(1, later).is_err());
    }

    #[test]
    fn a_larger_capacity_is_not_a_gift() {
        let start = Instant::now();
        let mut bucket = bucket(10, "1/s", start);
        bucket.set_quota(count(100), "60/m".parse().expect("a refill"), start);
        assert_eq!(bucket.level(start), 10);
        assert_eq!(bucket.level(start + Duration::from_secs(5)), 15);
    }

    #[test]
    fn a_smaller_capacity_holds_at_once() {
        let start = Instant::now();
        let mut bucket = bucket(100, "1/s", start);
        bucket.set_quota(count(5), "1/s".parse().expect("a refill"), start);
        assert_eq!(bucket.level(start), 5);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Consume(u32),
        SetQuota(u32, Refill),
    }

    fn refill() -> impl Strategy<Value = Refill> {
        (1..50_u32, 1..100_u32).prop_map(|(tokens, secs)| Refill::new(count(tokens), count(secs)))
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            9 => (1..12_u32).prop_map(Step::Consume),
            1 => (1..40_u32, refill()).prop_map(|(capacity, refill)| Step::SetQuota(capacity, refill)),
        ]
    }

    proptest! {
        #[test]
        fn no_window_of_any_length_exceeds_capacity_and_refill(
            capacity in 1..40_u32,
            refill in refill(),
            steps in prop::collection::vec((0..2_000_000_000_u64, step()), 1..150),
        ) {
            let mut now = Instant::now();
            let mut bucket = Bucket::new(count(capacity), refill, now);
            let (mut quotas, mut grants) = (vec![(now, capacity, refill)], Vec::new());
            for (pause, step) in steps {
                now += Duration::from_nanos(pause);
                match step {
                    Step::Consume(tokens) => {
                        if bucket.consume(tokens, now).is_ok() {
                            grants.push(Grant { at: now, tokens });
                        }
                    }
                    Step::SetQuota(capacity, refill) => {
                        bucket.set_quota(count(capacity), refill, now);
                        quotas.push((now, capacity, refill));
                    }
                }
            }
            assert_no_window_exceeds(&quotas, &grants);
        }
    }
}
