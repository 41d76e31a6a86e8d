//! Which events an endpoint is owed, in which order, and what it gets to see.

use bytes::Bytes;
use nuncio_client::{Clock, Random};
use nuncio_relay::store::{Document, DocumentKind, Documents};
use nuncio_relay::{Directory, Endpoint, Event, EventId, Headers, Origin};
use nuncio_service::Env;
use serde_json::{Value, json};

use crate::world::World;

fn endpoint(settings: &Value) -> Endpoint {
    let mut whole = json!({ "from": "application/acme", "to": { "file": { "path": "a" } } });
    whole.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    Endpoint::new(serde_json::from_value(whole).unwrap(), Env::default()).unwrap()
}

fn event(event_type: &str, headers: &[(&str, &str)], body: &'static str) -> Event {
    let now = jiff::Timestamp::from_millisecond(
        Clock::fixed(std::time::UNIX_EPOCH).since_epoch().as_millis() as i64,
    )
    .unwrap();
    let header = |(name, value): &(&str, &str)| ((*name).to_owned(), Bytes::from((*value).to_owned()));
    Event {
        id: EventId::new(now, &Random::seeded(1)),
        origin: Origin::Application("acme".to_owned()),
        event_type: event_type.to_owned(),
        at: now,
        headers: Headers(headers.iter().map(header).collect()),
        body: Bytes::from_static(body.as_bytes()),
    }
}

/// The keys of what is owed to an endpoint of these settings: `None` if nothing is.
fn owed(settings: &Value, event: &Event) -> Option<Option<String>> {
    let mut directory = Directory::default();
    directory.endpoints.insert("one".to_owned(), endpoint(settings).into());
    directory.owed(event, event.at).pop().map(|owed| owed.order_key)
}

#[test]
fn all_of_a_filter_must_hold() {
    let event =
        event("invoice.paid", &[("X-Shop", "north-1")], r#"{"amount": 120, "lines": [{"sku": "a"}]}"#);
    for (holds, filter) in [
        (true, json!({})),
        (true, json!({ "jq": ".body.amount > 100" })),
        (false, json!({ "jq": ".body.amount > 120" })),
        (false, json!({ "jq": ".body.missing" })),
        (false, json!({ "jq": "error(\"no\")" })),
        (false, json!({ "jq": "empty" })),
        (true, json!({ "jq": ".type == \"invoice.paid\" and .headers[\"x-shop\"] == \"north-1\"" })),
        (true, json!({ "jsonpath": "$.lines[?@.sku == 'a']" })),
        (false, json!({ "jsonpath": "$.lines[?@.sku == 'b']" })),
        (true, json!({ "headers": { "x-shop": "north-*" } })),
        (false, json!({ "headers": { "x-shop": "south-*" } })),
        (false, json!({ "headers": { "x-other": "*" } })),
        (false, json!({ "headers": { "x-shop": "north-*" }, "jq": "false" })),
    ] {
        assert_eq!(owed(&json!({ "filter": filter }), &event).is_some(), holds, "{filter}");
    }
    assert!(owed(&json!({ "types": ["invoice.*"] }), &event).is_some());
    assert!(owed(&json!({ "types": ["order.*", "invoice"] }), &event).is_none());
    assert!(owed(&json!({ "from": "application/other" }), &event).is_none());
}

#[test]
fn a_body_that_is_no_json_is_a_text() {
    let event = event("form", &[], "a=1&b=2");
    assert!(owed(&json!({ "filter": { "jq": ".body | startswith(\"a=1\")" } }), &event).is_some());
    assert!(owed(&json!({ "filter": { "jsonpath": "$" } }), &event).is_none());
}

#[test]
fn an_expression_puts_events_in_order() {
    let event = event("order", &[], r#"{"customer": {"id": 98765432109876543210}, "name": "é"}"#);
    assert_eq!(
        owed(&json!({ "order_by": ".body.customer.id" }), &event),
        Some(Some("98765432109876543210".to_owned()))
    );
    assert_eq!(owed(&json!({ "order_by": ".body.name" }), &event), Some(Some("é".to_owned())));
    assert_eq!(owed(&json!({ "order_by": ".body.missing" }), &event), Some(None));
}

#[test]
fn a_transformation_says_what_is_sent() {
    let event = event("order", &[], "{\"id\": 1.50, \"b\": 2}\n");
    assert_eq!(&endpoint(&json!({})).route.payload(&event).unwrap()[..], b"{\"id\": 1.50, \"b\": 2}\n");
    let changed = endpoint(&json!({ "transform": "{text: \"order \\(.body.b)\", id: .body.id}" }));
    assert_eq!(&changed.route.payload(&event).unwrap()[..], br#"{"text":"order 2","id":1.50}"#);
    for broken in ["empty", ".body.id.x"] {
        let error = endpoint(&json!({ "transform": broken })).route.payload(&event).unwrap_err();
        assert!(error.to_string().contains("the transformation failed"), "{error}");
    }
}

#[tokio::test]
async fn a_setting_that_cannot_be_read_is_named() {
    let world = World::new(&[]).await;
    let put = |value| {
        nuncio_relay::store::Change::Put(Document {
            kind: DocumentKind::Endpoint,
            name: "bad".to_owned(),
            from_file: true,
            value,
        })
    };
    for (value, part) in [
        (json!({ "from": "nowhere", "to": { "file": { "path": "a" } } }), "nowhere"),
        (json!({ "from": "relay", "to": { "file": { "path": "a" } }, "order_by": ".[" }), ".["),
        (json!({ "from": "relay", "to": { "file": { "path": "a" } }, "filter": { "jq": "env" } }), "env"),
        (
            json!({ "from": "relay", "to": { "file": { "path": "a" } }, "filter": { "jsonpath": "x" } }),
            "JSONPath",
        ),
        (json!({ "from": "relay", "to": {} }), "endpoint bad"),
    ] {
        world.store.change(vec![put(value)], None).await.unwrap();
        let documents = world.store.documents().await.unwrap();
        let error = Directory::new(&documents, &Env::default()).unwrap_err().to_string();
        assert!(error.contains("endpoint bad") && error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn what_reaches_into_this_machine_is_set_up_by_its_config_file_alone() {
    let read = |from_file, to: Value| {
        let value = json!({ "from": "source/shop", "to": to });
        let document = Document { kind: DocumentKind::Endpoint, name: "local".to_owned(), from_file, value };
        Directory::new(&Documents { revision: 0, all: vec![document] }, &Env::default())
            .map(drop)
            .map_err(|error| error.to_string())
    };
    for to in [
        json!({ "command": { "run": ["true"] } }),
        json!({ "file": { "path": "/tmp/made-up" } }),
        json!({ "http": { "url": "https://hooks.example.com", "allow_addresses": ["10.0.0.0/8"] } }),
    ] {
        assert_eq!(read(true, to.clone()), Ok(()));
        assert!(read(false, to).unwrap_err().contains("reach into this machine"));
    }
    assert_eq!(read(false, json!({ "http": { "url": "https://hooks.example.com" } })), Ok(()));
}
