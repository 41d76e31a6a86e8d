//! A store that fails while it is told to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use crate::{Attempt, Delivery, DeliveryId, Event, EventId, Origin, Progress};

use super::{
    Activity, Advance, Answer, Append, Appended, Change, DeliveryQuery, Document, Documents, EndpointStatus,
    EventQuery, EventSummary, HealthChange, KeptSchedule, Lately, Lease, LeaseRequest, Leases, Page,
    Particulars, Refused, Settled, Settlement, Stats, Store, StoreError, Trim, Trimmed,
};

/// A store that fails while it is told to: for tests of what goes on above one.
pub struct FaultyStore {
    store: Arc<dyn Store>,
    fails: AtomicBool,
    loses: AtomicBool,
}

impl FaultyStore {
    /// One over `store`, that does not fail yet.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, fails: AtomicBool::new(false), loses: AtomicBool::new(false) }
    }

    /// From now on every step fails, undone, or none does.
    pub fn set_failing(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    /// From now on every step is done, and its answer is lost, or none is.
    pub fn set_losing(&self, loses: bool) {
        self.loses.store(loses, Ordering::Relaxed);
    }

    fn step<'s, T: Send + 's>(&'s self, step: Answer<'s, T>) -> Answer<'s, T> {
        Box::pin(async move {
            if self.fails.load(Ordering::Relaxed) {
                return Err(StoreError::Unavailable("it was told to fail".to_owned()));
            }
            let done = step.await?;
            if self.loses.load(Ordering::Relaxed) {
                return Err(StoreError::Unavailable("its answer was lost, as was told".to_owned()));
            }
            Ok(done)
        })
    }
}

macro_rules! steps {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl Store for FaultyStore {
            $(fn $name(&self, $($argument: $type),*) -> Answer<'_, $answer> {
                self.step(self.store.$name($($argument),*))
            })*
        }
    };
}

steps! {
    append(append: Append) -> Appended;
    lease(requests: Vec<LeaseRequest>) -> Vec<Leases>;
    note(lease: Lease, progress: Progress) -> bool;
    settle(settlement: Settlement) -> Settled;
    resend(deliveries: Vec<DeliveryId>, due: Timestamp, progress: Option<Document>) -> u64;
    set_health(endpoint: String, change: HealthChange) -> ();
    endpoints() -> Vec<EndpointStatus>;
    refuse(refused: Refused, keep: u32) -> ();
    refused(origin: Origin, limit: u32) -> Vec<Refused>;
    event(id: EventId) -> Option<Event>;
    events(query: EventQuery) -> Page<EventSummary>;
    deliveries(query: DeliveryQuery) -> Page<Delivery>;
    attempts(delivery: DeliveryId) -> Vec<Attempt>;
    documents() -> Documents;
    change(changes: Vec<Change>, revision: Option<u64>) -> u64;
    schedules() -> BTreeMap<String, KeptSchedule>;
    advance(step: Advance) -> bool;
    trim(trim: Trim) -> Trimmed;
    stats() -> Stats;
    glance(count: u32) -> Stats;
    activity(endpoints: Vec<String>, lately: Lately) -> Vec<Activity>;
    arrivals(origins: Vec<Origin>, limit: u32) -> Vec<Vec<Timestamp>>;
    particulars(deliveries: Vec<DeliveryId>) -> Vec<Option<Particulars>>;
}
