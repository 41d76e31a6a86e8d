//! Limiters, one for each list of limits. Limits of one name share a bucket.

use std::num::NonZeroU32;

use nuncio_client::limit::{Limiter, Limits, Quota, Refill, Scope};

use crate::model::{Limit, Service};

/// The limiters of a connection. Operations with the same list of limits share one.
pub(super) struct Limiters(Vec<(Vec<Limit>, Limiter)>);

impl Limiters {
    pub(super) fn new(service: &Service) -> Self {
        let mut lists: Vec<&Vec<Limit>> = vec![&service.limits];
        for limits in service.operations.values().filter_map(|operation| operation.limits.as_ref()) {
            if !lists.contains(&limits) {
                lists.push(limits);
            }
        }
        let names: Vec<&str> =
            lists.iter().flat_map(|list| *list).filter_map(|limit| limit.name.as_deref()).collect();
        let settings = lists.iter().map(|limits| settings(limits, service.concurrency)).collect();
        let limiters = Limiter::sharing(settings, &names);
        Self(lists.into_iter().cloned().zip(limiters).collect())
    }

    /// The limiter for a list of limits that is the service's or one of its operations'.
    pub(super) fn of(&self, limits: &[Limit]) -> &Limiter {
        let (_, limiter) = self.0.iter().find(|(own, _)| own == limits).expect("every list has a limiter");
        limiter
    }
}

fn settings(limits: &[Limit], concurrency: Option<NonZeroU32>) -> Limits {
    let quotas: Vec<Quota> = limits.iter().map(quota).collect();
    let is_per_operation = |quota: &Quota| quota.per == Scope::Operation;
    // What a service counts by operation it also refuses by operation.
    let learn = if quotas.iter().any(is_per_operation) { Scope::Operation } else { Scope::Key };
    Limits { quotas, concurrency, learn: Some(learn), ..Limits::default() }
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
