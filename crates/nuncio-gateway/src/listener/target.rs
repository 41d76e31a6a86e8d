//! The one endpoint of a listener.

use std::num::NonZeroU32;
use std::time::Duration;

use nuncio_client::Clock;
use nuncio_relay::settings::{self, StatusPattern};
use nuncio_relay::store::{Change, Document, DocumentKind, HealthChange};
use nuncio_relay::{Origin, Store, StoreError, Waits};
use nuncio_service::model::Span;

use super::{ENDPOINT, SOURCE, owed};

/// No event that is kept for a target gets too old for it, and no target is given up: ten years.
const FOR_GOOD: Duration = Duration::from_secs(3650 * 86_400);

/// One at a time, in the order of their arrival. Whoever has answered is not asked again, but for the statuses by which a proxy says that the target is down.
pub(super) fn endpoint(
    target: Option<&settings::Http>,
    retry_every: Duration,
    timeout: Duration,
) -> settings::Endpoint {
    // Without a target nothing is sent: `Told` takes what is owed.
    let nowhere = || settings::Http { url: "https://localhost".to_owned(), ..settings::Http::default() };
    let delivery = settings::Delivery {
        schedule: Waits::every(retry_every),
        give_up_on: (300..=599).filter(|status| is_final(*status)).map(StatusPattern::One).collect(),
        concurrency: NonZeroU32::MIN,
        timeout: Span(timeout),
        longest_pause: Span(retry_every),
        expires_after: Span(FOR_GOOD),
        disable_after: Span(FOR_GOOD),
        ..settings::Delivery::default()
    };
    settings::Endpoint {
        from: Origin::Source(SOURCE.to_owned()),
        types: Vec::new(),
        filter: None,
        order_by: Some("\"all\"".to_owned()),
        transform: None,
        to: settings::Target::Http(target.cloned().unwrap_or_else(nowhere)),
        delivery,
    }
}

/// Whether an answer of this status is the target's own word: 502, 503 and 504 are those of a proxy before a target that is down or starts.
pub(super) fn is_final(status: u16) -> bool {
    status >= 300 && !matches!(status, 502..=504)
}

/// Makes the endpoint known to the store, whatever it went through before, and due what it is owed.
pub(super) async fn prepare(
    store: &dyn Store,
    endpoint: &settings::Endpoint,
    clock: &Clock,
) -> Result<(), StoreError> {
    let document = Document {
        kind: DocumentKind::Endpoint,
        name: ENDPOINT.to_owned(),
        from_file: true,
        value: serde_json::to_value(endpoint).expect("settings are JSON"),
    };
    store.change(vec![Change::Put(document)], None).await?;
    for change in [HealthChange::Enable, HealthChange::Recovered] {
        store.set_health(ENDPOINT.to_owned(), change).await?;
    }
    // What a listener that was killed had in its care is not waited for.
    owed::make_due(store, clock).await
}
