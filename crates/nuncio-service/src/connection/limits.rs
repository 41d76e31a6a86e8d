//! Limiters, one for each list of limits.

use std::num::NonZeroU32;

use nuncio_client::limit::{Limiter, Limits, Quota, Refill, Scope};

use crate::model::{Limit, Service};

/// The limiters of a connection. Operations with the same list of limits share one.
pub(super) struct Limiters {
    concurrency: Option<NonZeroU32>,
    made: Vec<(Vec<Limit>, Limiter)>,
}

impl Limiters {
    pub(super) fn new(service: &Service) -> Self {
        Self { concurrency: service.concurrency, made: Vec::new() }
    }

    pub(super) fn of(&mut self, limits: &[Limit]) -> Limiter {
        if let Some((_, limiter)) = self.made.iter().find(|(own, _)| own == limits) {
            return limiter.clone();
        }
        let limiter = limiter(limits, self.concurrency);
        self.made.push((limits.to_vec(), limiter.clone()));
        limiter
    }
}

fn limiter(limits: &[Limit], concurrency: Option<NonZeroU32>) -> Limiter {
    let quotas: Vec<Quota> = limits.iter().map(quota).collect();
    let is_per_operation = |quota: &Quota| quota.per == Scope::Operation;
    // What a service counts by operation it also refuses by operation.
    let learn = if quotas.iter().any(is_per_operation) { Scope::Operation } else { Scope::Key };
    Limiter::new(Limits { quotas, concurrency, learn: Some(learn), ..Limits::default() })
}

fn quota(limit: &Limit) -> Quota {
    let period_secs = u32::try_from(limit.refill.period.as_secs()).ok().and_then(NonZeroU32::new);
    Quota {
        name: limit.name.clone().unwrap_or_else(|| limit.refill.to_string()).into(),
        capacity: limit.capacity,
        refill: Refill::new(limit.refill.tokens, period_secs.unwrap_or(NonZeroU32::MAX)),
        per: match limit.own_key() {
            Some(_) => Scope::Key,
            None if limit.is_per_operation() => Scope::Operation,
            None => Scope::All,
        },
    }
}
