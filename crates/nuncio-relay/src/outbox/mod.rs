//! Events out: told by an application, stored, and owed to all of its endpoints that want them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use nuncio_client::check::Schema;
use nuncio_client::{Clock, Error, Random};
use serde_json::Value;
use tokio::sync::watch;

use crate::directory::Directory;
use crate::dispatch::Handle;
use crate::store::{Append, Appended, Store, StoreError, Unique};
use crate::{Event, EventId, Headers, Origin, clock, settings};

/// How long an idempotency key is remembered: 24 h.
const KEY_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest payload, in bytes: 1 MiB.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// Takes events that applications tell of.
pub struct Outbox {
    store: Arc<dyn Store>,
    directory: watch::Receiver<Arc<Directory>>,
    dispatcher: Handle,
    clock: Clock,
    /// By which an event is too old to be a repeat.
    age: Clock,
    random: Random,
}

/// A type of event, ready to be used.
#[derive(Debug)]
pub struct EventType {
    /// What was set up.
    pub settings: settings::EventType,
    schema: Option<Schema>,
}

impl EventType {
    /// The type of these settings.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for a JSON Schema that is none.
    pub fn new(settings: settings::EventType) -> Result<Self, Error> {
        let schema = settings.schema.as_ref().map(Schema::new).transpose()?;
        Ok(Self { settings, schema })
    }
}

/// What an application tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who tells.
    pub application: String,
    /// What kind of event it is.
    pub event_type: String,
    /// The payload: JSON, which is sent as it stands here.
    pub payload: Bytes,
    /// The same key and payload are the same event, within a day.
    pub idempotency_key: Option<String>,
}

/// A message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its event.
    pub id: EventId,
    /// Whether it was there before.
    pub is_repeat: bool,
}

/// Why a message is not taken.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// Nobody has set it up.
    #[error("there is no application {0:?}")]
    NoApplication(String),
    /// The payload is not JSON.
    #[error("the payload is not JSON: {0}")]
    NotJson(String),
    /// The payload is longer than [`MAX_PAYLOAD_BYTES`].
    #[error("the payload has {0} bytes, and may have {MAX_PAYLOAD_BYTES}")]
    TooLong(usize),
    /// The payload is not what its type says.
    #[error("the payload is not what {event_type} says: {}", mismatches.join("; "))]
    Mismatch {
        /// The type.
        event_type: String,
        /// What is wrong.
        mismatches: Vec<String>,
    },
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for {0}, whose payload is another")]
    KeyReused(EventId),
    /// It could not be stored now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Outbox {
    /// An outbox over this store. `dispatcher` is told what is due.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        directory: watch::Receiver<Arc<Directory>>,
        dispatcher: Handle,
        clock: Clock,
        random: Random,
    ) -> Self {
        let age = clock::patient(clock.clone());
        Self { store, directory, dispatcher, clock, age, random }
    }

    /// Takes a message. It is on disk when it is accepted.
    ///
    /// # Errors
    /// [`Rejected`], and nothing is stored. Dropping the future may leave it stored or not: send it again with the same idempotency key.
    pub async fn publish(&self, message: Message) -> Result<Accepted, Rejected> {
        let directory = Arc::clone(&self.directory.borrow());
        check(&message, &directory)?;
        let now = clock::now(&self.clock);
        let event = Event {
            id: EventId::new(now, &self.random),
            origin: Origin::Application(message.application),
            event_type: message.event_type,
            at: now,
            headers: Headers(vec![("content-type".to_owned(), Bytes::from_static(b"application/json"))]),
            body: message.payload,
        };
        let (id, owed) = (event.id, directory.owed(&event, self.dispatcher.now()));
        let due: Vec<_> = owed.iter().map(|owed| (owed.endpoint.clone(), owed.due)).collect();
        let window = SignedDuration::try_from(KEY_WINDOW).unwrap_or(SignedDuration::MAX);
        let since = clock::now(&self.age).checked_sub(window).unwrap_or(Timestamp::MIN);
        let unique = message.idempotency_key.map(|key| Unique { key, since });
        match self.store.append(Append { event, unique, owed }).await? {
            Appended::Stored => {
                due.iter().for_each(|(endpoint, due)| self.dispatcher.wake(endpoint, *due));
                Ok(Accepted { id, is_repeat: false })
            }
            Appended::Duplicate { id, same_body: true } => Ok(Accepted { id, is_repeat: true }),
            Appended::Duplicate { id, same_body: false } => Err(Rejected::KeyReused(id)),
        }
    }
}

fn check(message: &Message, directory: &Directory) -> Result<(), Rejected> {
    if !directory.applications.contains_key(&message.application) {
        return Err(Rejected::NoApplication(message.application.clone()));
    }
    if message.payload.len() > MAX_PAYLOAD_BYTES {
        return Err(Rejected::TooLong(message.payload.len()));
    }
    let not_json = |error: serde_json::Error| Rejected::NotJson(error.to_string());
    let schema =
        directory.event_types.get(&message.event_type).and_then(|event_type| event_type.schema.as_ref());
    let Some(schema) = schema else {
        return serde_json::from_slice::<serde::de::IgnoredAny>(&message.payload).map(drop).map_err(not_json);
    };
    let payload: Value = serde_json::from_slice(&message.payload).map_err(not_json)?;
    let mismatches = schema.mismatches(&payload);
    if mismatches.is_empty() {
        return Ok(());
    }
    Err(Rejected::Mismatch { event_type: message.event_type.clone(), mismatches })
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbox")
    }
}
