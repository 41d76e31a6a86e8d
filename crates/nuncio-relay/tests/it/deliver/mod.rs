//! Attempts against real receivers on this machine.

mod canary;
mod command;
mod credentials;
mod file;
mod guard;
mod http;
mod mutual_tls;
mod operation;
mod operations;
mod signature;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response, Uri};
use bytes::Bytes;
use jiff::Timestamp;
use nuncio_client::{Clock, Error, Random, wire};
use nuncio_relay::deliver::{Settings, Targets};
use nuncio_relay::store::{
    Append, Change, Document, DocumentKind, LeaseRequest, Leased, MemoryStore, Owed, Store,
};
use nuncio_relay::{Deliver as _, Endpoint, Event, EventId, Fault, Headers, Journal, Origin, Outcome};
use nuncio_service::Env;
use serde_json::{Value, json};

/// The time of day in these tests, in seconds.
const NOW: u64 = 1_760_000_000;

/// A request that came in.
#[derive(Debug, Clone)]
struct Seen {
    peer: SocketAddr,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A server that answers as it is told to.
struct Receiver {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Receiver {
    async fn start(answer: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static) -> Self {
        let (seen, answer) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::new(answer));
        let log = Arc::clone(&seen);
        let app = Router::new().fallback(
            move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request<Body>| {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                async move {
                    let (parts, body) = request.into_parts();
                    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                    let seen = Seen { peer, uri: parts.uri, headers: parts.headers, body };
                    log.lock().unwrap().push(seen.clone());
                    answer(&seen)
                }
            },
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { url, seen }
    }

    /// One that answers with this status.
    async fn answering(status: u16) -> Self {
        Self::start(move |_| answer(status, &[], "")).await
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(body.into()).unwrap()
}

/// An endpoint that may be on this machine.
fn http(url: &str, more: Value) -> Value {
    let mut to = json!({ "http": { "url": url, "allow_addresses": ["127.0.0.0/8"] } });
    let Value::Object(more) = more else { panic!("{more} is no object") };
    to["http"].as_object_mut().unwrap().extend(more);
    to
}

fn try_endpoint(to: Value, env: Env) -> Result<Arc<Endpoint>, Error> {
    let mut settings = json!({ "from": "source/shop", "delivery": { "timeout": "5s" } });
    settings["to"] = to;
    let settings =
        serde_json::from_value(settings).map_err(|error| Error::configuration(error.to_string()))?;
    Endpoint::new(settings, env).map(Arc::new)
}

fn endpoint(to: Value) -> Arc<Endpoint> {
    try_endpoint(to, Env::default()).unwrap()
}

fn event(body: impl Into<Bytes>) -> Event {
    let at = Timestamp::from_second(NOW as i64 - 60).unwrap();
    Event {
        id: EventId::new(at, &Random::seeded(7)),
        origin: Origin::Source("shop".to_owned()),
        event_type: "order.paid".to_owned(),
        at,
        headers: Headers(vec![("Content-Type".to_owned(), Bytes::from_static(b"application/json"))]),
        body: body.into(),
    }
}

fn settings() -> Settings {
    Settings {
        wire: wire::Settings::default(),
        connect: Arc::new(|service, _| {
            let error = Error::configuration(format!("there is no service {service}"));
            Box::pin(async { Err(error) })
        }),
        clock: Clock::fixed(UNIX_EPOCH + Duration::from_secs(NOW)),
    }
}

/// A store in which this event is owed to one endpoint.
async fn owing(event: &Event) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (kind, name, value) = (DocumentKind::Endpoint, "made-up".to_owned(), Value::Null);
    let endpoint = Document { kind, name: name.clone(), from_file: false, value };
    store.change(vec![Change::Put(endpoint)], None).await.unwrap();
    let owed = vec![Owed { endpoint: name, order_key: None, due: event.at }];
    store.append(Append { event: event.clone(), unique: None, owed }).await.unwrap();
    store
}

/// What is owed, in the care of somebody whose lease is over at once.
async fn lease(store: &dyn Store) -> Leased {
    let now = Timestamp::from_second(NOW as i64).unwrap();
    let request = LeaseRequest { endpoint: "made-up".to_owned(), now, until: now, latest: now, limit: 1 };
    store.lease(vec![request]).await.unwrap().remove(0).taken.remove(0)
}

/// One attempt, of this number.
async fn attempt(targets: &Targets, endpoint: &Arc<Endpoint>, event: &Event, number: u32) -> Outcome {
    let store = owing(event).await;
    let leased = Leased { attempt: number, ..lease(&*store).await };
    let journal = Journal::new(store, leased.lease);
    targets.deliver("made-up", Arc::clone(endpoint), leased, journal).await
}

/// The first attempt to deliver a small event.
async fn once(to: Value) -> Outcome {
    attempt(&Targets::new(settings()), &endpoint(to), &event("{}"), 1).await
}

fn fault(outcome: &Outcome) -> Option<Fault> {
    outcome.result.as_ref().err().map(|failure| failure.fault)
}

fn reason(outcome: &Outcome) -> &str {
    outcome.result.as_ref().err().map_or("", |failure| &failure.reason)
}
