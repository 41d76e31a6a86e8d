//! Attempts to deliver, counted.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use nuncio_relay::store::Leased;
use nuncio_relay::{Deliver, Endpoint, Fault, Journal, Outcome};
use tokio::time::Instant;

use super::Metrics;

/// Delivers, and counts what comes of it.
pub(crate) struct Counted {
    pub(crate) deliver: Arc<dyn Deliver>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Deliver for Counted {
    fn deliver(
        &self,
        name: &str,
        endpoint: Arc<Endpoint>,
        leased: Leased,
        journal: Journal,
    ) -> BoxFuture<'static, Outcome> {
        let attempt = self.deliver.deliver(name, endpoint, leased, journal);
        let (metrics, name) = (Arc::clone(&self.metrics), name.to_owned());
        Box::pin(async move {
            let begun = Instant::now();
            let outcome = attempt.await;
            metrics.attempted(name, word(&outcome), begun.elapsed());
            outcome
        })
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome.result.as_ref().map_err(|failure| failure.fault) {
        Ok(()) => "taken",
        Err(Fault::Refused) => "refused",
        Err(Fault::Throttled) => "throttled",
        Err(Fault::Unavailable) => "unavailable",
        Err(Fault::Gone) => "gone",
        Err(Fault::Misconfigured) => "misconfigured",
    }
}
