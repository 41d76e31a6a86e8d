//! What the target is owed from earlier times.

use jiff::Timestamp;
use nuncio_client::Clock;
use nuncio_relay::State;
use nuncio_relay::store::{DeliveryQuery, From, Store, StoreError};

use super::ENDPOINT;

/// How many are looked at in a step.
const STEP: u32 = 500;

/// Makes due now what waits. What is parked behind it follows in its turn.
pub(super) async fn make_due(store: &dyn Store, clock: &Clock) -> Result<(), StoreError> {
    let mut from = 0;
    loop {
        let query = DeliveryQuery {
            endpoint: Some(ENDPOINT.to_owned()),
            state: Some(State::Waiting),
            from: From::After(from),
            limit: STEP,
            ..DeliveryQuery::default()
        };
        let page = store.deliveries(query).await?;
        let ids = page.items.iter().map(|delivery| delivery.id).collect();
        store.resend(ids, now(clock), None).await?;
        let Some(next) = page.next else { return Ok(()) };
        from = next;
    }
}

pub(super) fn now(clock: &Clock) -> Timestamp {
    Timestamp::try_from(clock.now()).unwrap_or_default()
}
