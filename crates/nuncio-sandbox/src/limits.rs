//! The described limits, enforced.

use std::collections::HashMap;
use std::time::Duration;

use nuncio_service::model::Limit;

use crate::answer::Answer;

/// Token buckets by name and key.
#[derive(Default)]
pub(crate) struct Buckets(HashMap<String, Bucket>);

struct Bucket {
    tokens: f64,
    filled_at: Duration,
}

/// How the tightest limit stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Standing {
    /// The burst that it allows.
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Time since 1970 at which there is another token, if there is none.
    pub(crate) reset: Duration,
}

impl Standing {
    /// Tells it in the headers that most services have; the reset as time since 1970.
    pub(crate) fn tell(self, answer: Answer) -> Answer {
        tell(answer, self.remaining, self.reset).with_header("X-RateLimit-Limit", &self.limit.to_string())
    }
}

/// Tells what is left of a limit, and until when.
pub(crate) fn tell(answer: Answer, remaining: u32, reset: Duration) -> Answer {
    let reset = reset.as_secs() + u64::from(reset.subsec_nanos() > 0);
    answer
        .with_header("X-RateLimit-Remaining", &remaining.to_string())
        .with_header("X-RateLimit-Reset", &reset.to_string())
}

/// A limit and the name of its bucket: limits that are written alike share one.
pub(crate) struct Keyed<'a> {
    pub(crate) limit: &'a Limit,
    pub(crate) bucket: String,
}

impl<'a> Keyed<'a> {
    pub(crate) fn new(limit: &'a Limit, key: &str) -> Self {
        let Limit { capacity, refill, key: template, name } = limit;
        let template = template.as_ref().map_or("", |template| template.source());
        let name = name.as_deref().unwrap_or_default();
        Self { limit, bucket: format!("{name} {capacity} {refill} {template} {key}") }
    }

    fn per_sec(&self) -> f64 {
        f64::from(self.limit.refill.tokens.get()) / self.limit.refill.period.as_secs_f64()
    }
}

impl Buckets {
    /// Takes `cost` tokens of every limit, or of none: then the time until there are enough.
    pub(crate) fn take(
        &mut self,
        limits: &[Keyed<'_>],
        cost: u32,
        now: Duration,
    ) -> Result<Option<Standing>, Duration> {
        let mut wait = Duration::ZERO;
        for keyed in limits {
            let tokens = self.fill(keyed, now);
            let missing = f64::from(cost.min(keyed.limit.capacity.get())) - tokens;
            if missing > 0.0 {
                wait = wait.max(Duration::from_secs_f64(missing / keyed.per_sec()));
            }
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        let standings = limits.iter().map(|keyed| {
            let capacity = keyed.limit.capacity.get();
            let bucket = self.0.entry(keyed.bucket.clone()).or_insert(Bucket { tokens: 0.0, filled_at: now });
            bucket.tokens -= f64::from(cost.min(capacity));
            let missing = (1.0 - bucket.tokens).max(0.0);
            let reset = now + Duration::from_secs_f64(missing / keyed.per_sec());
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to the capacity, a u32"
            )]
            Standing { limit: capacity, remaining: bucket.tokens as u32, reset }
        });
        Ok(standings.min_by_key(|standing| standing.remaining))
    }

    fn fill(&mut self, keyed: &Keyed<'_>, now: Duration) -> f64 {
        let capacity = f64::from(keyed.limit.capacity.get());
        let bucket =
            self.0.entry(keyed.bucket.clone()).or_insert(Bucket { tokens: capacity, filled_at: now });
        let passed = now.saturating_sub(bucket.filled_at).as_secs_f64();
        bucket.tokens = capacity.min(bucket.tokens + passed * keyed.per_sec());
        bucket.filled_at = now;
        bucket.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(capacity: u32, refill: &str) -> Limit {
        let capacity = capacity.try_into().expect("not zero");
        Limit { capacity, refill: refill.parse().expect(refill), key: None, name: None }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_is_the_capacity_and_then_tokens_come_at_the_rate() {
        let (limit, mut buckets) = (limit(2, "1/s"), Buckets::default());
        let mut take =
            |now| buckets.take(&[Keyed::new(&limit, "")], 1, now).map(|standing| standing.unwrap().remaining);
        assert_eq!([take(SECOND), take(SECOND), take(SECOND)], [Ok(1), Ok(0), Err(SECOND)]);
        assert_eq!([take(SECOND * 2), take(SECOND * 2)], [Ok(0), Err(SECOND)]);
        assert_eq!(take(SECOND * 100), Ok(1));
    }

    #[test]
    fn all_limits_hold_and_a_refusal_takes_nothing() {
        let (burst, hour) = (limit(10, "10/s"), limit(1, "1/h"));
        let mut buckets = Buckets::default();
        let both = [Keyed::new(&burst, ""), Keyed::new(&hour, "")];
        assert!(buckets.take(&both, 1, SECOND).is_ok());
        assert_eq!(buckets.take(&both, 1, SECOND), Err(SECOND * 3600));
        assert_eq!(buckets.take(&both[..1], 1, SECOND).unwrap().unwrap().remaining, 8);
    }

    #[test]
    fn each_key_has_its_own_bucket_and_an_operation_may_cost_more() {
        let (limit, mut buckets) = (limit(5, "1/s"), Buckets::default());
        assert!(buckets.take(&[Keyed::new(&limit, "a")], 5, SECOND).is_ok());
        assert_eq!(buckets.take(&[Keyed::new(&limit, "a")], 3, SECOND), Err(SECOND * 3));
        assert!(buckets.take(&[Keyed::new(&limit, "b")], 5, SECOND).is_ok());
    }
}
