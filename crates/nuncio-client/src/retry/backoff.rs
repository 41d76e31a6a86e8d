//! How long to wait when the server does not say.

use std::time::Duration;

use crate::Random;

/// Exponential backoff. `retry` is counted from 0 and `exponential` below is `base · 2^retry`.
///
/// Default: 1 s, at most 30 s, [`Jitter::Added`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait, before jitter.
    pub base: Duration,
    /// No wait is longer.
    pub max: Duration,
    /// How chance changes the wait, so that callers who failed together do not come back together.
    pub jitter: Jitter,
}

/// How chance changes a wait. The kinds but the first are those of "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Jitter {
    /// `min(max, exponential + uniform[0, base))`: never earlier than plain exponential backoff.
    #[default]
    Added,
    /// `uniform[0, min(max, exponential))`: spreads callers best, may come back at once.
    Full,
    /// Half of `min(max, exponential)`, and up to as much again.
    Equal,
    /// `min(max, uniform[base, 3 · previous wait))`.
    Decorrelated,
    /// `min(max, exponential)`: for tests, and for servers that are called by one caller only.
    None,
}

impl Backoff {
    /// The wait before retry number `retry`, from 0, when the one before it waited for `previous` (zero for the first).
    #[must_use]
    pub fn wait(&self, retry: u32, previous: Duration, random: &Random) -> Duration {
        let exponential = self.base.saturating_mul(2_u32.saturating_pow(retry));
        let capped = exponential.min(self.max);
        match self.jitter {
            Jitter::Added => exponential.saturating_add(random.below(self.base)).min(self.max),
            Jitter::Full => random.below(capped),
            Jitter::Equal => capped / 2 + random.below(capped / 2),
            Jitter::Decorrelated => {
                let span = previous.max(self.base).saturating_mul(3) - self.base;
                (self.base + random.below(span)).min(self.max)
            }
            Jitter::None => capped,
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), max: Duration::from_secs(30), jitter: Jitter::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn backoff() -> impl Strategy<Value = Backoff> {
        let jitter = prop_oneof![
            Just(Jitter::Added),
            Just(Jitter::Full),
            Just(Jitter::Equal),
            Just(Jitter::Decorrelated),
            Just(Jitter::None),
        ];
        (0_u64..=u64::MAX, 0_u64..100_000, jitter).prop_map(|(base, max, jitter)| Backoff {
            base: Duration::from_millis(base),
            max: Duration::from_millis(max),
            jitter,
        })
    }

    /// The range that the documentation gives, for the default base and maximum.
    fn documented(jitter: Jitter, retry: u32, previous: Duration) -> RangeInclusive<Duration> {
        let max = Duration::from_secs(30);
        let capped = (SECOND * 2_u32.pow(retry)).min(max);
        match jitter {
            Jitter::Added => capped..=(SECOND * 2_u32.pow(retry) + SECOND).min(max),
            Jitter::Full => Duration::ZERO..=capped,
            Jitter::Equal => capped / 2..=capped,
            Jitter::Decorrelated => SECOND..=(previous.max(SECOND) * 3).min(max),
            Jitter::None => capped..=capped,
        }
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_maximum(
            backoff in backoff(), retry: u32, previous in 0..u64::MAX, seed: u64,
        ) {
            let wait = backoff.wait(retry, Duration::from_millis(previous), &Random::seeded(seed));
            prop_assert!(wait <= backoff.max);
        }

        #[test]
        fn every_jitter_keeps_to_its_documented_range(retry in 0_u32..20, previous in 0_u64..40_000, seed: u64) {
            let previous = Duration::from_millis(previous);
            for jitter in [Jitter::Added, Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::None] {
                let wait = Backoff { jitter, ..Backoff::default() }.wait(retry, previous, &Random::seeded(seed));
                prop_assert!(documented(jitter, retry, previous).contains(&wait), "{:?}: {:?}", jitter, wait);
            }
        }
    }

    #[test]
    fn without_jitter_the_wait_doubles_up_to_the_maximum() {
        let backoff = Backoff { jitter: Jitter::None, ..Backoff::default() };
        let waits: Vec<u64> =
            (0..7).map(|retry| backoff.wait(retry, SECOND, &Random::seeded(1)).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn every_jitter_but_none_tells_callers_apart() {
        for jitter in [Jitter::Added, Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
            let backoff = Backoff { jitter, ..Backoff::default() };
            let wait = |seed| backoff.wait(0, Duration::ZERO, &Random::seeded(seed));
            assert_ne!(wait(1), wait(2), "{jitter:?}");
        }
    }
}
