//! The contract of a store: all that the relay remembers.
//!
//! A store is asked in whole steps. Each is one transaction: it happens, durably, before its answer, or not at all. Time and ids are the
//! caller's. There is one set of tests for all stores (the feature `suite`), and one store that is plain enough to be believed, [`MemoryStore`], against
//! which others are held.

mod memory;
mod sqlite;
mod survey;

#[cfg(feature = "suite")]
mod faulty;
#[cfg(feature = "suite")]
pub mod suite;

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::schedule;
use crate::{Attempt, Delivery, DeliveryId, Event, EventId, Headers, Origin, Progress, State};

#[cfg(feature = "suite")]
pub use faulty::FaultyStore;
pub use memory::MemoryStore;
pub use sqlite::SqliteStore;
pub use survey::{Activity, Lately, MAX_SEARCHED_BYTES, Particulars, Tried};

/// What a step of a store will come to.
pub type Answer<'s, T> = BoxFuture<'s, Result<T, StoreError>>;

/// What went wrong in a store. The step did not happen.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be read or written now: the disk is full or fails, or the database is away. A later try may succeed.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
    /// What it holds is not what was written.
    #[error("the store {path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// It was written by a newer nuncio.
    #[error(
        "the store {path} is of version {found}, and this nuncio knows {known}: use the nuncio that wrote it, or a newer one"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A document was changed by somebody else since it was read.
    #[error("the settings were changed meanwhile: read them again")]
    Changed,
}

/// All that the relay remembers.
///
/// Every step is durable when its answer is there. Dropping the future does not undo a step: it may happen or not.
pub trait Store: Send + Sync {
    /// Stores an event and what is owed for it, unless it is there already. Endpoints that do not exist are owed nothing.
    fn append(&self, append: Append) -> Answer<'_, Appended>;

    /// Takes deliveries that are due into one's care: nobody else gets them until the lease ends, and whoever gets them then makes this lease
    /// void. A disabled endpoint gives none. One answer for each request, in their order.
    fn lease(&self, requests: Vec<LeaseRequest>) -> Answer<'_, Vec<Leases>>;

    /// Writes down how far a delivery is, and says whether the lease was valid: if not, nothing was written.
    fn note(&self, lease: Lease, progress: Progress) -> Answer<'_, bool>;

    /// Ends a lease with what came of it.
    fn settle(&self, settlement: Settlement) -> Answer<'_, Settled>;

    /// Makes deliveries due again, with all their attempts before them, whether they have ended or wait, and says how many there were. What
    /// counts of their progress then, [`Progress::sent_again`] says.
    /// `progress` is written down in the same step: how far the job is that asked for it.
    fn resend(
        &self,
        deliveries: Vec<DeliveryId>,
        due: Timestamp,
        progress: Option<Document>,
    ) -> Answer<'_, u64>;

    /// Changes what is known of an endpoint's health.
    fn set_health(&self, endpoint: String, change: HealthChange) -> Answer<'_, ()>;

    /// What is known of every endpoint.
    fn endpoints(&self) -> Answer<'_, Vec<EndpointStatus>>;

    /// Keeps a request that was refused, and of its origin only the newest `keep`.
    fn refuse(&self, refused: Refused, keep: u32) -> Answer<'_, ()>;

    /// Requests that were refused, the newest first.
    fn refused(&self, origin: Origin, limit: u32) -> Answer<'_, Vec<Refused>>;

    /// An event.
    fn event(&self, id: EventId) -> Answer<'_, Option<Event>>;

    /// Events that match, without their bodies.
    fn events(&self, query: EventQuery) -> Answer<'_, Page<EventSummary>>;

    /// Deliveries that match.
    fn deliveries(&self, query: DeliveryQuery) -> Answer<'_, Page<Delivery>>;

    /// The attempts of a delivery, in their order.
    fn attempts(&self, delivery: DeliveryId) -> Answer<'_, Vec<Attempt>>;

    /// All settings, and how often they were changed.
    fn documents(&self) -> Answer<'_, Documents>;

    /// Changes settings, all or none, and says how often they were changed then.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when `revision` is given and is not theirs any more.
    fn change(&self, changes: Vec<Change>, revision: Option<u64>) -> Answer<'_, u64>;

    /// What is kept of schedules, by name.
    fn schedules(&self) -> Answer<'_, BTreeMap<String, KeptSchedule>>;

    /// Replaces what is kept of a schedule and stores events, all or nothing, and says whether it did: not when somebody else did
    /// since it was read, and not when the schedule is not set up.
    fn advance(&self, step: Advance) -> Answer<'_, bool>;

    /// Removes old events for which nothing is owed, and what came of them. Looks at no more than `limit` events.
    fn trim(&self, trim: Trim) -> Answer<'_, Trimmed>;

    /// How much there is.
    fn stats(&self) -> Answer<'_, Stats>;

    /// How much there is, counted no further than `count`, whatever is stored.
    fn glance(&self, count: u32) -> Answer<'_, Stats>;

    /// What went on lately at these endpoints, in their order. One that does not exist has done nothing.
    fn activity(&self, endpoints: Vec<String>, lately: Lately) -> Answer<'_, Vec<Activity>>;

    /// When the newest events of these origins were stored, in their order, the newest first, of each `limit` at most.
    fn arrivals(&self, origins: Vec<Origin>, limit: u32) -> Answer<'_, Vec<Vec<Timestamp>>>;

    /// What these deliveries are about, in their order.
    fn particulars(&self, deliveries: Vec<DeliveryId>) -> Answer<'_, Vec<Option<Particulars>>>;
}

/// An event to be stored.
#[derive(Debug, Clone)]
pub struct Append {
    /// The event.
    pub event: Event,
    /// What makes it the same as another one. `None`: it is always a new one.
    pub unique: Option<Unique>,
    /// To whom it is owed.
    pub owed: Vec<Owed>,
}

/// What makes an event the same as another one of its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// The same for both.
    pub key: String,
    /// Older ones do not count.
    pub since: Timestamp,
}

/// To whom an event is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The endpoint.
    pub endpoint: String,
    /// Deliveries of one endpoint with the same key go one after the other.
    pub order_key: Option<String>,
    /// When it may be tried first.
    pub due: Timestamp,
}

/// What became of an [`Append`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is stored.
    Stored,
    /// It was there already.
    Duplicate {
        /// The event that is stored.
        id: EventId,
        /// Whether its body is the same, byte for byte.
        same_body: bool,
    },
}

/// A request for deliveries of one endpoint that are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The endpoint.
    pub endpoint: String,
    /// The time now.
    pub now: Timestamp,
    /// When the lease ends if it was not settled.
    pub until: Timestamp,
    /// What is due later than this is taken as well: the clock by which it was written was wrong.
    pub latest: Timestamp,
    /// How many at most.
    pub limit: u32,
}

/// What a [`LeaseRequest`] gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leases {
    /// The deliveries, the longest due first, and those of a wrong clock last.
    pub taken: Vec<Leased>,
    /// When the next one of this endpoint is due, or a lease of it ends. `None`: nothing waits, or the endpoint is disabled.
    pub next_due: Option<Timestamp>,
}

/// A delivery in somebody's care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// What it is settled by.
    pub lease: Lease,
    /// What is owed.
    pub event: Event,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How far it is.
    pub progress: Progress,
}

/// A lease of a delivery. A later lease of the same delivery makes it void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The delivery.
    pub delivery: DeliveryId,
    /// How often it was leased.
    pub fence: u64,
}

/// The end of a lease.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The lease.
    pub lease: Lease,
    /// The time now.
    pub now: Timestamp,
    /// What was tried. `None`: nothing was, and the attempt does not count.
    pub attempt: Option<Attempt>,
    /// How far the delivery is now. `None`: as far as it was.
    pub progress: Option<Progress>,
    /// What becomes of the delivery.
    pub then: Then,
    /// What it says about the endpoint.
    pub health: Option<HealthChange>,
    /// Events that tell of it.
    pub tell: Vec<Append>,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It has arrived.
    Delivered,
    /// It is tried again at this time.
    Retry(Timestamp),
    /// It is given up.
    Dead,
}

/// What became of a [`Settlement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is written down.
    Done {
        /// When the next delivery of its key is due, which was parked behind it.
        next: Option<Timestamp>,
    },
    /// The lease was void: nothing of the settlement was done, not even its events.
    Void,
}

/// Something that is learned of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthChange {
    /// Nothing is delivered to it any more. What is owed to it stays so.
    Disable {
        /// Since when.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// It is delivered to again.
    Enable,
    /// It fails since this time.
    Failing(Timestamp),
    /// It does not fail any more.
    Recovered,
}

/// What is known of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointStatus {
    /// Its name.
    pub name: String,
    /// Whether nothing is delivered to it, since when, and why.
    pub disabled: Option<Disabled>,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
    /// When its next delivery is due, or a lease of it ends.
    pub next_due: Option<Timestamp>,
}

/// Since when and why nothing is delivered to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it came in.
    pub origin: Origin,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: bytes::Bytes,
}

/// Which events, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventQuery {
    /// Of this origin alone.
    pub origin: Option<Origin>,
    /// Of this type alone.
    pub event_type: Option<String>,
    /// Stored at this time or later.
    pub since: Option<Timestamp>,
    /// Stored before this time.
    pub until: Option<Timestamp>,
    /// With a delivery in this state.
    pub state: Option<State>,
    /// With this text in its body, byte for byte, if that is no longer than [`MAX_SEARCHED_BYTES`].
    pub text: Option<String>,
    /// How many are looked at to find them. A page may have fewer than `limit` then, and a [`next`](Page::next) all the same. `None`: all.
    pub look_at: Option<u32>,
    /// In which order, and from where.
    pub from: From,
    /// How many.
    pub limit: u32,
}

/// In which order, and from where. The numbers are those of [`Page::next`], of [`EventSummary::position`] or of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum From {
    /// The newest first.
    #[default]
    Newest,
    /// The newest first, older than this one.
    Before(u64),
    /// The oldest first, newer than this one.
    After(u64),
}

/// Some of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// They.
    pub items: Vec<T>,
    /// Where the next page begins, if there is more.
    pub next: Option<u64>,
}

/// An event without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSummary {
    /// Its place among all events.
    pub position: u64,
    /// Its id.
    pub id: EventId,
    /// Where it comes from.
    pub origin: Origin,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it was stored.
    pub at: Timestamp,
    /// The length of its body in bytes.
    pub body_bytes: u64,
    /// To how many endpoints it is owed still.
    pub owed: u32,
    /// How many took it.
    pub delivered: u32,
    /// For how many it was given up.
    pub dead: u32,
}

/// Which deliveries, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryQuery {
    /// Of this event alone.
    pub event: Option<EventId>,
    /// To this endpoint alone.
    pub endpoint: Option<String>,
    /// In this state alone.
    pub state: Option<State>,
    /// Of events stored at this time or later.
    pub since: Option<Timestamp>,
    /// Of events stored before this time.
    pub until: Option<Timestamp>,
    /// How many are looked at to find them. A page may have fewer than `limit` then, and a [`next`](Page::next) all the same. `None`: all.
    pub look_at: Option<u32>,
    /// In which order, and from where.
    pub from: From,
    /// How many.
    pub limit: u32,
}

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A source.
    Source,
    /// An application.
    Application,
    /// An endpoint.
    Endpoint,
    /// A type of event.
    EventType,
    /// A schedule.
    Schedule,
    /// A token for the API.
    Token,
    /// A job.
    Job,
}

impl std::fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Application => "application",
            Self::Endpoint => "endpoint",
            Self::EventType => "event_type",
            Self::Schedule => "schedule",
            Self::Token => "token",
            Self::Job => "job",
        })
    }
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Source,
        Self::Application,
        Self::Endpoint,
        Self::EventType,
        Self::Schedule,
        Self::Token,
        Self::Job,
    ];
}

/// A setting, as its kind writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What it is about.
    pub kind: DocumentKind,
    /// Its name, one of its kind.
    pub name: String,
    /// Whether a config file says so, which alone may change it then.
    pub from_file: bool,
    /// What it says.
    pub value: serde_json::Value,
}

/// All settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Documents {
    /// How often they were changed.
    pub revision: u64,
    /// They, by kind and name.
    pub all: Vec<Document>,
}

/// A change of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It is there and says this.
    Put(Document),
    /// It is gone. What is owed to an endpoint is owed no more, and nothing is kept of a schedule.
    Remove(DocumentKind, String),
}

/// What is kept of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptSchedule {
    /// How often it was written; 0 where nothing is kept.
    pub revision: u64,
    /// It.
    pub state: schedule::State,
}

/// A step of a schedule.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The schedule.
    pub name: String,
    /// What is kept now, as it was read, with what it becomes.
    pub kept: KeptSchedule,
    /// Events that come of it.
    pub events: Vec<Append>,
}

/// Which events may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// Those stored before this time.
    pub before: Timestamp,
    /// Those after this place.
    pub after: u64,
    /// How many are looked at.
    pub limit: u32,
}

/// What went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trimmed {
    /// How many events.
    pub removed: u64,
    /// Where to look next; `None` when all was looked at, or none of these was stored before the time.
    pub next: Option<u64>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stats {
    /// Events.
    pub events: u64,
    /// Deliveries that wait, those parked included.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
    /// Bytes on disk.
    pub bytes: u64,
}
