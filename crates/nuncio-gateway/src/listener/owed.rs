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

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use nuncio_client::Random;
    use nuncio_relay::store::{
        Append, Change, Document, DocumentKind, LeaseRequest, Leases, MemoryStore, Owed,
    };
    use nuncio_relay::{Event, EventId, Headers, Origin};

    use super::*;

    async fn lease(store: &MemoryStore, now: Timestamp) -> usize {
        let until = now + SignedDuration::from_hours(1);
        let request = LeaseRequest { endpoint: ENDPOINT.to_owned(), now, until, latest: until, limit: 9 };
        let Leases { taken, .. } = store.lease(vec![request]).await.unwrap().remove(0);
        taken.len()
    }

    #[tokio::test]
    async fn what_a_killed_listener_had_in_its_care_is_due_at_once() {
        let (store, clock) = (MemoryStore::new(), Clock::system());
        let now = now(&clock);
        let value = serde_json::json!({});
        let document =
            Document { kind: DocumentKind::Endpoint, name: ENDPOINT.to_owned(), from_file: true, value };
        store.change(vec![Change::Put(document)], None).await.unwrap();
        for number in 0..2 {
            let event = Event {
                id: EventId::new(now, &Random::seeded(number)),
                origin: Origin::Source(super::super::SOURCE.to_owned()),
                event_type: String::new(),
                at: now,
                headers: Headers::default(),
                body: bytes::Bytes::new(),
            };
            let owed = Owed { endpoint: ENDPOINT.to_owned(), order_key: Some("all".to_owned()), due: now };
            store.append(Append { event, unique: None, owed: vec![owed] }).await.unwrap();
        }
        assert_eq!(lease(&store, now).await, 1);
        assert_eq!(lease(&store, now).await, 0);
        make_due(&store, &clock).await.unwrap();
        let later = now + SignedDuration::from_mins(1);
        assert_eq!(lease(&store, later).await, 1, "the first alone: the other waits for its turn");
    }
}
