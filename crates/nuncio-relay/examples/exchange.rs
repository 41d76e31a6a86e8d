//! Delivers and receives as it is told, for verifiers and signers of other people: `conformance/webhooks`.
//!
//! Each line of the standard input is one JSON object, and so is the line that answers it:
//!
//! - `{"deliver": {"to": …, "id": …, "body": …, "attempt": 1}}` makes one attempt to deliver an event to an endpoint with these settings;
//!   the answer is `{"taken": true, "reason": null, "status": 200, "excerpt": …}`.
//! - `{"receive": {"source": …, "headers": {…}, "body": …}}` hands a request to a source with these settings; the answer is
//!   `{"status": 200, "received": "Stored(…)"}`.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use nuncio_client::{Clock, Error, Random, wire};
use nuncio_relay::deliver::{Settings, Targets};
use nuncio_relay::inbox::{Arrival, ClientFetch};
use nuncio_relay::store::{Document, DocumentKind, Documents, Lease, Leased, MemoryStore, Store};
use nuncio_relay::{
    Deliver, DeliveryId, Directory, Dispatcher, Endpoint, Event, EventId, Headers, Inbox, Journal, Origin,
    Progress, dispatch,
};
use nuncio_service::Env;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Deliver(Delivery),
    Receive(Received),
}

#[derive(Deserialize)]
struct Delivery {
    to: Value,
    id: EventId,
    body: String,
    attempt: u32,
}

#[derive(Deserialize)]
struct Received {
    source: Value,
    headers: BTreeMap<String, String>,
    body: String,
}

type Anything = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Anything> {
    let targets: Arc<dyn Deliver> = Arc::new(Targets::new(Settings {
        wire: wire::Settings::default(),
        connect: Arc::new(|_, _| Box::pin(async { Err(Error::configuration("there are no services here")) })),
        clock: Clock::system(),
    }));
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Told::Deliver(delivery) => deliver(&targets, delivery).await?,
            Told::Receive(received) => receive(&targets, received).await?,
        };
        println!("{answer}");
    }
    Ok(())
}

async fn deliver(targets: &Arc<dyn Deliver>, delivery: Delivery) -> Result<Value, Anything> {
    let Delivery { to, id, body, attempt } = delivery;
    let settings = serde_json::from_value(json!({ "from": "source/made-up", "to": to }))?;
    let endpoint = Arc::new(Endpoint::new(settings, Env::default())?);
    let event = Event {
        id,
        origin: Origin::Source("made-up".to_owned()),
        event_type: "made.up".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        headers: Headers(vec![("content-type".to_owned(), Bytes::from_static(b"application/json"))]),
        body: body.into(),
    };
    let lease = Lease { delivery: DeliveryId(1), fence: attempt.into() };
    let leased = Leased { lease, event, attempt, progress: Progress::default() };
    let journal = Journal::new(Arc::new(MemoryStore::new()), lease);
    let outcome = targets.deliver("made-up", endpoint, leased, journal).await;
    let reason = outcome.result.as_ref().err().map(|failure| failure.reason.clone());
    let excerpt = String::from_utf8_lossy(&outcome.excerpt);
    Ok(json!({ "taken": reason.is_none(), "reason": reason, "status": outcome.status, "excerpt": excerpt }))
}

async fn receive(targets: &Arc<dyn Deliver>, received: Received) -> Result<Value, Anything> {
    let Received { source, headers, body } = received;
    let document =
        Document { kind: DocumentKind::Source, name: "made-up".to_owned(), from_file: true, value: source };
    let directory = Directory::new(&Documents { revision: 0, all: vec![document] }, &Env::default())?;
    let (_settings, directory) = watch::channel(Arc::new(directory));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (clock, random) = (Clock::system(), Random::new());
    let dispatcher = Dispatcher::new(
        Arc::clone(&store),
        Arc::clone(targets),
        directory.clone(),
        clock.clone(),
        random.clone(),
        dispatch::Settings::default(),
    );
    let fetch = Arc::new(ClientFetch::new(wire::Settings::default())?);
    let inbox = Inbox::new(store, directory, dispatcher.handle(), clock, random, fetch);
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>()?, HeaderValue::from_bytes(value.as_bytes())?);
    }
    let arrival = Arrival {
        method: &Method::POST,
        url: "https://hooks.example.com/in/made-up",
        headers: &map,
        body: &Bytes::from(body),
        peer: None,
    };
    let reply = inbox.receive("made-up", arrival).await;
    Ok(json!({ "status": reply.status.as_u16(), "received": format!("{:?}", reply.received) }))
}
