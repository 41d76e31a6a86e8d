//! What the tests of inbox and outbox stand on.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use nuncio_client::{Clock, Error, Random};
use nuncio_relay::dispatch::{Dispatcher, Settings};
use nuncio_relay::inbox::{Arrival, Fetch, Inbox, Reply};
use nuncio_relay::outbox::Outbox;
use nuncio_relay::store::{
    Change, DeliveryQuery, Document, DocumentKind, EventQuery, EventSummary, MemoryStore, Store,
};
use nuncio_relay::{Deliver, Delivery, Directory, Endpoint, Journal, Outcome, store::Leased};
use nuncio_service::Env;
use nuncio_webhook::{Outgoing, Secrets, provider, sign};
use serde_json::Value;
use tokio::sync::watch;

pub(crate) const SECRET: &str = "made-up-webhook-secret";

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) inbox: Inbox,
    pub(crate) outbox: Outbox,
    pub(crate) clock: Clock,
}

pub(crate) struct Nobody;

impl Deliver for Nobody {
    fn deliver(&self, _: &str, _: Arc<Endpoint>, _: Leased, _: Journal) -> BoxFuture<'static, Outcome> {
        Box::pin(std::future::pending())
    }
}

/// Has no documents.
struct Shelf;

impl Fetch for Shelf {
    fn get(&self, url: &str) -> BoxFuture<'static, Result<Bytes, Error>> {
        let error = Error::configuration(format!("nothing is at {url}"));
        Box::pin(async { Err(error) })
    }
}

impl World {
    /// With these documents: `(kind, name, value)`.
    pub(crate) async fn new(documents: &[(DocumentKind, &str, Value)]) -> Self {
        Self::over(Arc::new(MemoryStore::new()), documents).await
    }

    /// Likewise, over this store.
    pub(crate) async fn over(store: Arc<dyn Store>, documents: &[(DocumentKind, &str, Value)]) -> Self {
        let put = |(kind, name, value): &(DocumentKind, &str, Value)| {
            Change::Put(Document {
                kind: *kind,
                name: (*name).to_owned(),
                from_file: true,
                value: value.clone(),
            })
        };
        store.change(documents.iter().map(put).collect(), None).await.unwrap();
        let directory = Directory::new(&store.documents().await.unwrap(), &Env::default()).unwrap();
        let directory = watch::Sender::new(Arc::new(directory)).subscribe();
        let clock = Clock::starting_at(UNIX_EPOCH + Duration::from_secs(1_760_000_000));
        let random = Random::seeded(1);
        let handle = Dispatcher::new(
            Arc::clone(&store),
            Arc::new(Nobody),
            directory.clone(),
            clock.clone(),
            random.clone(),
            Settings::default(),
        )
        .handle();
        Self {
            inbox: Inbox::new(
                Arc::clone(&store),
                directory.clone(),
                handle.clone(),
                clock.clone(),
                random.clone(),
                Arc::new(Shelf),
            ),
            outbox: Outbox::new(Arc::clone(&store), directory, handle, clock.clone(), random),
            store,
            clock,
        }
    }

    /// Sends a webhook of `scheme` with this id to the source of that name.
    pub(crate) async fn send(
        &self,
        scheme: &str,
        id: &str,
        extra: &[(&str, &str)],
        body: &'static [u8],
    ) -> Reply {
        let url = "https://hooks.example.test/in";
        let outgoing =
            Outgoing { id, signed_at: self.clock.now(), method: "POST", url, body, content_type: None };
        let secrets = Secrets::new().with("current", SECRET);
        let signed = sign(&provider(scheme).unwrap().scheme, &outgoing, &secrets).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in &signed {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        for (name, value) in extra {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        self.receive(scheme, &headers, body).await
    }

    pub(crate) async fn receive(&self, source: &str, headers: &HeaderMap, body: &'static [u8]) -> Reply {
        let body = Bytes::from_static(body);
        let url = "https://hooks.example.test/in";
        let arrival = Arrival { method: &Method::POST, url, headers, body: &body, peer: None };
        self.inbox.receive(source, arrival).await
    }

    pub(crate) async fn events(&self) -> Vec<EventSummary> {
        self.store.events(EventQuery { limit: 1000, ..EventQuery::default() }).await.unwrap().items
    }

    /// Endpoint and key of what is owed, the oldest first.
    pub(crate) async fn owed(&self) -> Vec<Delivery> {
        let mut all = self
            .store
            .deliveries(DeliveryQuery { limit: 1000, ..DeliveryQuery::default() })
            .await
            .unwrap()
            .items;
        all.reverse();
        all
    }
}
