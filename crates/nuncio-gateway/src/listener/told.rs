//! Attempts to deliver, told of.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use nuncio_relay::store::Leased;
use nuncio_relay::{Deliver, Endpoint, Fault, Journal, Outcome};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Happening, Tried};

/// Delivers, and tells what came of it. Without anything to deliver by, all is taken and nothing told: whoever looks at what arrives has had it.
pub(super) struct Told {
    pub(super) deliver: Option<Arc<dyn Deliver>>,
    pub(super) happenings: mpsc::Sender<Happening>,
}

impl Deliver for Told {
    fn deliver(
        &self,
        name: &str,
        endpoint: Arc<Endpoint>,
        leased: Leased,
        journal: Journal,
    ) -> BoxFuture<'static, Outcome> {
        let Some(deliver) = &self.deliver else {
            return Box::pin(async {
                let (excerpt, step, progress) = (Bytes::new(), None, None);
                Outcome { result: Ok(()), status: None, excerpt, step, progress }
            });
        };
        let (event, attempt) = (leased.event.clone(), leased.attempt);
        let timeout = endpoint.settings.delivery.timeout.0;
        let delivery = deliver.deliver(name, endpoint, leased, journal);
        let happenings = self.happenings.clone();
        Box::pin(async move {
            let begun = Instant::now();
            // Sooner than whoever waits for it gives up and tells nobody.
            let outcome = tokio::time::timeout(timeout.mul_f32(0.99), delivery).await.unwrap_or_else(|_| {
                Outcome::failed(Fault::Unavailable, format!("no answer within {} s", timeout.as_secs_f32()))
            });
            let tried = Box::new(Tried { event, attempt, outcome: outcome.clone(), took: begun.elapsed() });
            let _ = happenings.send(Happening::Tried(tried)).await;
            outcome
        })
    }
}
