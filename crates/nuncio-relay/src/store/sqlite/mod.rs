//! The store in one file, by SQLite.
//!
//! Write-ahead log, each commit flushed to the disk before its answer. One thread writes, and steps that wait together share a commit.

mod append;
mod copy;
mod deliver;
mod files;
mod read;
mod row;
mod schedules;
mod schema;
mod settings;
mod survey;
mod upkeep;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode};

use crate::{Attempt, Delivery, DeliveryId, Event, EventId, Origin, Progress};

use super::{
    Activity, Advance, Answer, Append, Appended, Change, DeliveryQuery, Document, Documents, EndpointStatus,
    EventQuery, EventSummary, HealthChange, KeptSchedule, Lately, Lease, LeaseRequest, Leases, Page,
    Particulars, Refused, Settled, Settlement, Stats, Store, StoreError, Trim, Trimmed,
};
use files::Files;
use writer::Writer;

/// The store in one file, by SQLite. Several processes may use the same file.
pub struct SqliteStore {
    files: Arc<Files>,
    writer: Writer,
}

impl SqliteStore {
    /// The store at `path`. It is made if it is not there, and an older one is brought up to date.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a store of a newer nuncio, [`StoreError::Damaged`] for a file that is none, [`StoreError::Unavailable`] if it
    /// cannot be opened or made.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let files = Arc::new(Files::open(path)?);
        let writer = Writer::start(Arc::clone(&files))?;
        Ok(Self { files, writer })
    }

    /// Writes a copy of all that is stored to `to`, a file that is not there yet, for its user alone. The store is used meanwhile as ever.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when `to` is there already or cannot be written.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let to = to.to_owned();
        self.read(move |db| Ok(copy::copy(db, &to))).await?
    }

    /// What is wrong with the file or with what stands in it. Nothing if all is well.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be read.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read(upkeep::check).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = Arc::clone(&self.files);
        let answer = tokio::task::spawn_blocking(move || {
            files.read(read).map_err(|error| failure(&error, files.path()))
        });
        answer.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.files.path()).finish_non_exhaustive()
    }
}

fn failure(error: &rusqlite::Error, path: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::Damaged { path: path.to_owned(), reason: error.to_string() }
        }
        _ => StoreError::Unavailable(format!("{}: {error}", path.display())),
    }
}

impl Store for SqliteStore {
    fn append(&self, append: Append) -> Answer<'_, Appended> {
        self.writer.write(move |db| Ok(append::append(db, &append)?)).boxed()
    }

    fn lease(&self, requests: Vec<LeaseRequest>) -> Answer<'_, Vec<Leases>> {
        let lease = move |db: &Connection| {
            Ok(requests.iter().map(|request| deliver::lease(db, request)).collect::<rusqlite::Result<_>>()?)
        };
        self.writer.write(lease).boxed()
    }

    fn note(&self, lease: Lease, progress: Progress) -> Answer<'_, bool> {
        self.writer.write(move |db| Ok(deliver::note(db, lease, &progress)?)).boxed()
    }

    fn settle(&self, settlement: Settlement) -> Answer<'_, Settled> {
        self.writer.write(move |db| Ok(deliver::settle(db, &settlement)?)).boxed()
    }

    fn resend(
        &self,
        deliveries: Vec<DeliveryId>,
        due: Timestamp,
        progress: Option<Document>,
    ) -> Answer<'_, u64> {
        let resend = move |db: &Connection| {
            let mut count = 0;
            for delivery in &deliveries {
                count += u64::from(deliver::resend(db, *delivery, due)?);
            }
            if let Some(document) = progress {
                settings::change(db, &[Change::Put(document)], None)?;
            }
            Ok(count)
        };
        self.writer.write(resend).boxed()
    }

    fn set_health(&self, endpoint: String, change: HealthChange) -> Answer<'_, ()> {
        self.writer.write(move |db| Ok(deliver::set_health_of(db, &endpoint, &change)?)).boxed()
    }

    fn endpoints(&self) -> Answer<'_, Vec<EndpointStatus>> {
        self.read(read::endpoints).boxed()
    }

    fn refuse(&self, refused: Refused, keep: u32) -> Answer<'_, ()> {
        self.writer.write(move |db| Ok(append::refuse(db, &refused, keep)?)).boxed()
    }

    fn refused(&self, origin: Origin, limit: u32) -> Answer<'_, Vec<Refused>> {
        self.read(move |db| read::refused(db, &origin, limit)).boxed()
    }

    fn event(&self, id: EventId) -> Answer<'_, Option<Event>> {
        self.read(move |db| read::event(db, id)).boxed()
    }

    fn events(&self, query: EventQuery) -> Answer<'_, Page<EventSummary>> {
        self.read(move |db| read::events(db, &query)).boxed()
    }

    fn deliveries(&self, query: DeliveryQuery) -> Answer<'_, Page<Delivery>> {
        self.read(move |db| read::deliveries(db, &query)).boxed()
    }

    fn attempts(&self, delivery: DeliveryId) -> Answer<'_, Vec<Attempt>> {
        self.read(move |db| read::attempts(db, delivery)).boxed()
    }

    fn documents(&self) -> Answer<'_, Documents> {
        self.read(settings::documents).boxed()
    }

    fn change(&self, changes: Vec<Change>, revision: Option<u64>) -> Answer<'_, u64> {
        self.writer.write(move |db| settings::change(db, &changes, revision)).boxed()
    }

    fn schedules(&self) -> Answer<'_, BTreeMap<String, KeptSchedule>> {
        self.read(schedules::all).boxed()
    }

    fn advance(&self, step: Advance) -> Answer<'_, bool> {
        self.writer.write(move |db| Ok(schedules::advance(db, &step)?)).boxed()
    }

    fn trim(&self, trim: Trim) -> Answer<'_, Trimmed> {
        self.writer.write(move |db| Ok(upkeep::trim(db, &trim)?)).boxed()
    }

    fn stats(&self) -> Answer<'_, Stats> {
        self.read(read::stats).boxed()
    }

    fn glance(&self, count: u32) -> Answer<'_, Stats> {
        self.read(move |db| survey::glance(db, count)).boxed()
    }

    fn activity(&self, endpoints: Vec<String>, lately: Lately) -> Answer<'_, Vec<Activity>> {
        self.read(move |db| survey::activity(db, &endpoints, lately)).boxed()
    }

    fn arrivals(&self, origins: Vec<Origin>, limit: u32) -> Answer<'_, Vec<Vec<Timestamp>>> {
        self.read(move |db| survey::arrivals(db, &origins, limit)).boxed()
    }

    fn particulars(&self, deliveries: Vec<DeliveryId>) -> Answer<'_, Vec<Option<Particulars>>> {
        self.read(move |db| survey::particulars(db, &deliveries)).boxed()
    }
}
