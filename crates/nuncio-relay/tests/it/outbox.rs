//! Events out.

use bytes::Bytes;
use nuncio_relay::outbox::{MAX_PAYLOAD_BYTES, Message, Rejected};
use nuncio_relay::store::DocumentKind;
use serde_json::json;

use crate::world::World;

async fn world() -> World {
    let number = json!({ "schema": { "type": "object", "required": ["amount"], "properties": { "amount": { "type": "number" } } } });
    World::new(&[
        (DocumentKind::Application, "acme", json!({})),
        (DocumentKind::EventType, "invoice.paid", number),
        (
            DocumentKind::Endpoint,
            "all",
            json!({ "from": "application/acme", "to": { "file": { "path": "a" } } }),
        ),
        (
            DocumentKind::Endpoint,
            "other",
            json!({ "from": "application/other", "to": { "file": { "path": "b" } } }),
        ),
    ])
    .await
}

fn message(event_type: &str, payload: &'static str, key: Option<&str>) -> Message {
    Message {
        application: "acme".to_owned(),
        event_type: event_type.to_owned(),
        payload: Bytes::from_static(payload.as_bytes()),
        idempotency_key: key.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_message_is_owed_to_the_endpoints_of_its_application() {
    let world = world().await;
    let accepted = world.outbox.publish(message("user.created", "{\"n\": 1.0}", None)).await.unwrap();
    let owed = world.owed().await;
    assert_eq!(owed.len(), 1);
    assert_eq!((owed[0].endpoint.as_str(), owed[0].event), ("all", accepted.id));
}

#[tokio::test]
async fn the_same_key_and_payload_are_the_same_event() {
    let world = world().await;
    let first = world.outbox.publish(message("a", "{}", Some("k"))).await.unwrap();
    let again = world.outbox.publish(message("a", "{}", Some("k"))).await.unwrap();
    assert_eq!((first.is_repeat, again.is_repeat, first.id == again.id), (false, true, true));
    assert_eq!(world.owed().await.len(), 1);
    let other = world.outbox.publish(message("a", "{ }", Some("k"))).await;
    assert!(matches!(other, Err(Rejected::KeyReused(id)) if id == first.id));
    assert!(!world.outbox.publish(message("a", "{}", None)).await.unwrap().is_repeat);
}

#[tokio::test]
async fn a_payload_is_what_its_type_says() {
    let world = world().await;
    let wrong =
        world.outbox.publish(message("invoice.paid", "{\"amount\": \"ten\"}", None)).await.unwrap_err();
    assert!(matches!(&wrong, Rejected::Mismatch { mismatches, .. } if mismatches.len() == 1), "{wrong}");
    assert!(wrong.to_string().contains("amount"), "{wrong}");
    world.outbox.publish(message("invoice.paid", "{\"amount\": 10}", None)).await.unwrap();
    world.outbox.publish(message("not.set.up", "[]", None)).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_and_stores_nothing() {
    let world = world().await;
    let nobody = Message { application: "nobody".to_owned(), ..message("a", "{}", None) };
    assert!(matches!(world.outbox.publish(nobody).await, Err(Rejected::NoApplication(_))));
    assert!(matches!(world.outbox.publish(message("a", "{", None)).await, Err(Rejected::NotJson(_))));
    let long = Message { payload: vec![b' '; MAX_PAYLOAD_BYTES + 1].into(), ..message("a", "", None) };
    assert!(matches!(world.outbox.publish(long).await, Err(Rejected::TooLong(_))));
    assert!(world.events().await.is_empty());
}
