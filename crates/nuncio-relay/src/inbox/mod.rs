//! Webhooks in: verified on the bytes that arrived, stored, and only then acknowledged.

mod fetch;
mod refusals;
mod source;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use nuncio_client::{Clock, Random};
use nuncio_webhook::{Answer, Refusal, Request, handshake, verify};
use tokio::sync::watch;

use crate::directory::Directory;
use crate::dispatch::Handle;
use crate::store::{Append, Appended, Store, StoreError, Unique};
use crate::{Event, EventId, Headers, Origin, clock};

pub use fetch::{ClientFetch, Fetch};
use refusals::Refusals;
pub use source::Source;

/// How long before the provider gives up it is told to come back: 500 ms.
const MARGIN: Duration = Duration::from_millis(500);

/// Receives webhooks.
pub struct Inbox {
    store: Arc<dyn Store>,
    directory: watch::Receiver<Arc<Directory>>,
    dispatcher: Handle,
    clock: Clock,
    /// By which an event is too old to be a repeat.
    age: Clock,
    random: Random,
    fetch: Arc<dyn Fetch>,
    refusals: Refusals,
}

/// A request that came in, its body read as far as [`Source::max_body_bytes`].
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The method.
    pub method: &'a Method,
    /// The whole URL that it came to, as far as is known.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, as it came over the wire.
    pub body: &'a Bytes,
    /// Who sent it.
    pub peer: Option<IpAddr>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It is stored.
    Stored(EventId),
    /// It is not genuine, for this reason, and stored all the same: its source says so.
    Unverified(EventId, Refusal),
    /// It was stored before, as this event.
    Duplicate(EventId),
    /// The provider asked whether we are there.
    Handshake,
    /// It is not genuine.
    Refused(Refusal),
    /// It does not come from an address that the source allows.
    ForeignAddress,
    /// There is no such source.
    NoSource,
    /// It could not be stored now.
    Unavailable(String),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Bytes,
    /// Why.
    pub received: Received,
}

impl Inbox {
    /// An inbox over this store. `dispatcher` is told what is due, and `fetch` gets what providers publish.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        directory: watch::Receiver<Arc<Directory>>,
        dispatcher: Handle,
        clock: Clock,
        random: Random,
        fetch: Arc<dyn Fetch>,
    ) -> Self {
        let age = clock::patient(clock.clone());
        Self { store, directory, dispatcher, clock, age, random, fetch, refusals: Refusals::default() }
    }

    /// The source of this name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<Arc<Source>> {
        self.directory.borrow().sources.get(name).map(Arc::clone)
    }

    /// Takes a request for a source. A status of 2xx says that it is on disk. Dropping the future may leave it stored or not; the provider, which has
    /// got no answer, sends it again.
    pub async fn receive(&self, source: &str, arrival: Arrival<'_>) -> Reply {
        let Some(source) = self.source(source) else {
            return plain(StatusCode::NOT_FOUND, Received::NoSource);
        };
        if !source.allows(arrival.peer) {
            return plain(StatusCode::FORBIDDEN, Received::ForeignAddress);
        }
        let request = Request {
            method: arrival.method.as_str(),
            url: source.settings.url.as_deref().unwrap_or(arrival.url),
            headers: arrival.headers,
            body: arrival.body,
        };
        let now = clock::now(&self.clock);
        let verdict = match self.judge(&source, &request) {
            // A key that the provider publishes is fetched once, and the request judged again.
            Err(refusal) if self.fetch_key(&source, &refusal).await => self.judge(&source, &request),
            verdict => verdict,
        };
        let (event_type, id, refusal) = match verdict {
            Ok(Genuine::Event { event_type, id }) => (event_type, id, None),
            Ok(Genuine::Handshake(answer)) => return self.shake_hands(&source, answer).await,
            Err(refusal) if source.settings.accept_unverified => {
                (source.scheme.type_of(&request).unwrap_or_default(), None, Some(refusal))
            }
            Err(refusal) => return self.refuse(&source, arrival, refusal, now).await,
        };
        let event = Event {
            id: EventId::new(now, &self.random),
            origin: Origin::Source(source.name.clone()),
            event_type,
            at: now,
            headers: Headers::from(arrival.headers),
            body: arrival.body.clone(),
        };
        // Made up events must not keep genuine ones out.
        let key = if refusal.is_none() { source.dedupe_key(&event, id) } else { None };
        self.store(&source, event, key, refusal).await
    }

    fn judge(&self, source: &Source, request: &Request<'_>) -> Result<Genuine, Refusal> {
        let time = self.clock.now();
        if let Some(answer) = handshake(&source.scheme, request, &source.secrets, time)? {
            return Ok(Genuine::Handshake(answer));
        }
        let verified = verify(&source.scheme, request, &source.secrets, time)?;
        Ok(Genuine::Event { event_type: verified.event_type().unwrap_or_default(), id: verified.id() })
    }

    /// Fetches the key without which nothing can be said, and says whether there is a new one.
    async fn fetch_key(&self, source: &Source, refusal: &Refusal) -> bool {
        let Some(key) = refusal.key_to_fetch() else { return false };
        if !source.keys.may_fetch(key, self.clock.now()) {
            return false;
        }
        match self.fetch.get(key.url()).await {
            Ok(document) => {
                source.keys.put(key, document.to_vec(), self.clock.now());
                true
            }
            Err(error) => {
                tracing::warn!(source = source.name, url = key.url(), %error, "a key could not be fetched");
                false
            }
        }
    }

    /// Answers a handshake, and asks for the URL that confirms it where the provider wants that.
    async fn shake_hands(&self, source: &Source, answer: Answer) -> Reply {
        if let Some(url) = &answer.visit
            && let Err(error) = self.fetch.get(url).await
        {
            tracing::warn!(source = source.name, %error, "a subscription could not be confirmed");
            return plain(StatusCode::BAD_GATEWAY, Received::Unavailable(error.to_string()));
        }
        let Answer { headers, body, .. } = answer;
        Reply { status: StatusCode::OK, headers, body: body.into(), received: Received::Handshake }
    }

    async fn store(
        &self,
        source: &Source,
        event: Event,
        key: Option<String>,
        refusal: Option<Refusal>,
    ) -> Reply {
        let window = SignedDuration::try_from(source.settings.dedupe.window.0).unwrap_or(SignedDuration::MAX);
        let since = clock::now(&self.age).checked_sub(window).unwrap_or(Timestamp::MIN);
        let (id, owed) = (event.id, self.directory.borrow().owed(&event, self.dispatcher.now()));
        let due: Vec<_> = owed.iter().map(|owed| (owed.endpoint.clone(), owed.due)).collect();
        let append = Append { event, unique: key.map(|key| Unique { key, since }), owed };
        let appended = match source.deadline() {
            Some(deadline) => {
                tokio::time::timeout(deadline.saturating_sub(MARGIN), self.store.append(append))
                    .await
                    .unwrap_or_else(|_| Err(StoreError::Unavailable("the disk is slow".to_owned())))
            }
            None => self.store.append(append).await,
        };
        match appended {
            Ok(Appended::Stored) => {
                due.iter().for_each(|(endpoint, due)| self.dispatcher.wake(endpoint, *due));
                source.acknowledge(match refusal {
                    None => Received::Stored(id),
                    Some(refusal) => Received::Unverified(id, refusal),
                })
            }
            Ok(Appended::Duplicate { id, .. }) => source.acknowledge(Received::Duplicate(id)),
            Err(error) => {
                tracing::error!(source = source.name, %error, "a webhook was not stored, and not acknowledged");
                plain(StatusCode::SERVICE_UNAVAILABLE, Received::Unavailable(error.to_string()))
            }
        }
    }
}

/// A request that the provider sent.
enum Genuine {
    Event { event_type: String, id: Option<String> },
    Handshake(Answer),
}

fn plain(status: StatusCode, received: Received) -> Reply {
    Reply { status, headers: Vec::new(), body: Bytes::new(), received }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inbox")
    }
}
