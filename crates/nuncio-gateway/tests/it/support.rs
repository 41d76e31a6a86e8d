//! A gateway on this machine, and what asks it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use nuncio_client::{Clock, Error, Random, wire};
use nuncio_gateway::{Gateway, Handle, Options, Parts};
use nuncio_relay::deliver::Connect;
use nuncio_relay::inbox::ClientFetch;
use nuncio_relay::store::{Change, Document, DocumentKind, Leased, MemoryStore};
use nuncio_relay::{Deliver, Endpoint, EventId, Journal, Outcome, Store};
use nuncio_service::Env;
use nuncio_webhook::{Outgoing, Secrets, provider, sign};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// A secret that must never be seen again.
pub(crate) const SECRET: &str = "made-up-secret-canary";

/// Another, as endpoints have them.
pub(crate) const ENDPOINT_SECRET: &str = "whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM=";

/// A gateway that serves.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) delivered: Delivered,
    pub(crate) handle: Handle,
    pub(crate) client: Client,
    running: JoinHandle<()>,
}

/// There is no service.
pub(crate) fn unconnected() -> Connect {
    Arc::new(|service, _| {
        let error = Error::configuration(format!("there is no service {service}"));
        async { Err(error) }.boxed()
    })
}

/// What arrived at the endpoints.
#[derive(Clone, Default)]
pub(crate) struct Delivered(Arc<Mutex<Vec<(String, EventId)>>>);

impl Delivered {
    pub(crate) fn all(&self) -> Vec<(String, EventId)> {
        self.0.lock().unwrap().clone()
    }
}

impl Deliver for Delivered {
    fn deliver(
        &self,
        name: &str,
        _: Arc<Endpoint>,
        leased: Leased,
        _: Journal,
    ) -> BoxFuture<'static, Outcome> {
        self.0.lock().unwrap().push((name.to_owned(), leased.event.id));
        async { Outcome::taken(200) }.boxed()
    }
}

impl Served {
    pub(crate) async fn start(options: Options, documents: Vec<Document>) -> Self {
        Self::with_store(options, documents, Arc::new(MemoryStore::default())).await
    }

    pub(crate) async fn with_store(
        options: Options,
        documents: Vec<Document>,
        store: Arc<dyn Store>,
    ) -> Self {
        keep_logs();
        store.change(documents.into_iter().map(Change::Put).collect(), None).await.unwrap();
        let listen = ([127, 0, 0, 1], 0).into();
        let delivered = Delivered::default();
        let parts = Parts {
            store: Arc::clone(&store),
            deliver: Arc::new(delivered.clone()),
            connect: unconnected(),
            fetch: Arc::new(ClientFetch::new(wire::Settings::default()).unwrap()),
            env: env(),
            clock: Clock::system(),
            random: Random::new(),
        };
        let gateway = Gateway::open(Options { listen, ..options }, parts).await.unwrap();
        let url = format!("http://{}", gateway.address());
        let handle = gateway.handle();
        let running = tokio::spawn(gateway.run());
        let client = Client::builder().no_proxy().build().unwrap();
        Self { url, store, delivered, handle, client, running }
    }

    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    /// A webhook as Stripe sends it, signed with this secret.
    pub(crate) fn stripe_request(&self, source: &str, body: &str, secret: &str) -> RequestBuilder {
        let mut sent = self.post(&format!("/in/{source}")).body(body.to_owned());
        for (name, value) in stripe_headers(body, secret) {
            sent = sent.header(name, value);
        }
        sent
    }

    pub(crate) async fn stripe(&self, source: &str, body: &str, secret: &str) -> Response {
        self.stripe_request(source, body, secret).send().await.unwrap()
    }

    pub(crate) async fn stop(self) {
        self.handle.stop();
        self.running.await.unwrap();
    }
}

/// The headers of a webhook as Stripe signs it.
pub(crate) fn stripe_headers(body: &str, secret: &str) -> Vec<(String, String)> {
    let signed_at = Clock::system().now();
    let outgoing =
        Outgoing { id: "", signed_at, method: "POST", url: "", body: body.as_bytes(), content_type: None };
    sign(&provider("stripe").unwrap().scheme, &outgoing, &Secrets::new().with("current", secret)).unwrap()
}

/// An environment with one variable.
pub(crate) fn env() -> Env {
    Env::new(|name| (name == "MADE_UP").then(|| SECRET.to_owned()))
}

static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What all tests of this run have logged, nothing blanked.
pub(crate) fn logs() -> String {
    String::from_utf8_lossy(&LOGS.lock().unwrap()).into_owned()
}

fn keep_logs() {
    struct Kept;
    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            LOGS.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    // The second test finds it done.
    let _ = tracing_subscriber::fmt()
        .with_env_filter("nuncio=debug,nuncio_gateway=debug,nuncio_relay=debug")
        .with_ansi(false)
        .with_writer(|| Kept)
        .try_init();
}

/// Waits for something that other tasks bring about, for a few seconds at most.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come about");
}

pub(crate) fn document(kind: DocumentKind, name: &str, value: Value) -> Document {
    Document { kind, name: name.to_owned(), from_file: false, value }
}

pub(crate) fn source(name: &str, scheme: &str) -> Document {
    document(DocumentKind::Source, name, json!({ "scheme": scheme, "secrets": { "current": SECRET } }))
}

/// An endpoint that is owed all of a source.
pub(crate) fn endpoint(name: &str, from: &str) -> Document {
    let to = json!({ "http": { "url": "https://receiver.example.test/", "secrets": [ENDPOINT_SECRET] } });
    document(DocumentKind::Endpoint, name, json!({ "from": from, "to": to }))
}
