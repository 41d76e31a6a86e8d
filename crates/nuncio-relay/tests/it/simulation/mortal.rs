//! A store through which a worker dies: at one of its steps, before or after it was done, nothing of the worker moves any more.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use nuncio_client::Random;
use nuncio_relay::store::{
    Activity, Advance, Answer, Append, Appended, Change, DeliveryQuery, Document, Documents, EndpointStatus,
    EventQuery, EventSummary, HealthChange, KeptSchedule, Lately, Lease, LeaseRequest, Leases, MemoryStore,
    Page, Particulars, Refused, Settled, Settlement, Stats, Store, Trim, Trimmed,
};
use nuncio_relay::{Attempt, Delivery, DeliveryId, Event, EventId, Origin, Progress, StoreError};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::receiver::Log;

pub(super) struct MortalStore {
    store: Arc<MemoryStore>,
    /// Half steps that are left: even ones end before a step, odd ones after it.
    left: AtomicI64,
    log: Arc<Mutex<Log>>,
    random: Random,
    failures_per_mille: u128,
    pub(super) death: Arc<Notify>,
}

impl MortalStore {
    pub(super) fn new(
        store: Arc<MemoryStore>,
        half_steps: i64,
        log: Arc<Mutex<Log>>,
        random: Random,
        failures_per_mille: u128,
    ) -> Self {
        Self {
            store,
            left: AtomicI64::new(half_steps),
            log,
            random,
            failures_per_mille,
            death: Arc::default(),
        }
    }

    async fn half_step(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            self.death.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// A step that may fail without being done, or be done and fail all the same: the word that it was done is lost.
    fn step<'a, T: 'a + Send>(&'a self, step: Answer<'a, T>) -> Answer<'a, T> {
        let mortal: BoxFuture<'a, _> = Box::pin(async move {
            self.half_step().await;
            self.luck("before")?;
            let answer = step.await;
            self.half_step().await;
            self.luck("after")?;
            answer
        });
        mortal
    }

    fn luck(&self, when: &str) -> Result<(), StoreError> {
        if self.random.bits() % 1000 < self.failures_per_mille {
            return Err(StoreError::Unavailable(format!("{when} the step was done")));
        }
        Ok(())
    }
}

impl Store for MortalStore {
    fn lease(&self, requests: Vec<LeaseRequest>) -> Answer<'_, Vec<Leases>> {
        self.step(self.store.lease(requests))
    }
    fn note(&self, lease: Lease, progress: Progress) -> Answer<'_, bool> {
        self.step(self.store.note(lease, progress))
    }
    fn settle(&self, settlement: Settlement) -> Answer<'_, Settled> {
        let lease = settlement.lease;
        let disables = matches!(settlement.health, Some(HealthChange::Disable { .. }));
        let log = Arc::clone(&self.log);
        let step = self.store.settle(settlement);
        self.step(Box::pin(async move {
            let settled = step.await;
            if matches!(settled, Ok(Settled::Done { .. })) {
                log.lock().unwrap().settled.insert(lease, (Instant::now(), disables));
            }
            settled
        }))
    }
    fn endpoints(&self) -> Answer<'_, Vec<EndpointStatus>> {
        self.step(self.store.endpoints())
    }
    fn append(&self, append: Append) -> Answer<'_, Appended> {
        self.store.append(append)
    }
    fn resend(&self, ids: Vec<DeliveryId>, due: Timestamp, progress: Option<Document>) -> Answer<'_, u64> {
        self.store.resend(ids, due, progress)
    }
    fn set_health(&self, endpoint: String, change: HealthChange) -> Answer<'_, ()> {
        self.store.set_health(endpoint, change)
    }
    fn refuse(&self, refused: Refused, keep: u32) -> Answer<'_, ()> {
        self.store.refuse(refused, keep)
    }
    fn refused(&self, origin: Origin, limit: u32) -> Answer<'_, Vec<Refused>> {
        self.store.refused(origin, limit)
    }
    fn event(&self, id: EventId) -> Answer<'_, Option<Event>> {
        self.store.event(id)
    }
    fn events(&self, query: EventQuery) -> Answer<'_, Page<EventSummary>> {
        self.store.events(query)
    }
    fn deliveries(&self, query: DeliveryQuery) -> Answer<'_, Page<Delivery>> {
        self.store.deliveries(query)
    }
    fn attempts(&self, delivery: DeliveryId) -> Answer<'_, Vec<Attempt>> {
        self.store.attempts(delivery)
    }
    fn documents(&self) -> Answer<'_, Documents> {
        self.store.documents()
    }
    fn change(&self, changes: Vec<Change>, revision: Option<u64>) -> Answer<'_, u64> {
        self.store.change(changes, revision)
    }
    fn schedules(&self) -> Answer<'_, BTreeMap<String, KeptSchedule>> {
        self.store.schedules()
    }
    fn advance(&self, step: Advance) -> Answer<'_, bool> {
        self.store.advance(step)
    }
    fn trim(&self, trim: Trim) -> Answer<'_, Trimmed> {
        self.store.trim(trim)
    }
    fn stats(&self) -> Answer<'_, Stats> {
        self.store.stats()
    }
    fn glance(&self, count: u32) -> Answer<'_, Stats> {
        self.step(self.store.glance(count))
    }
    fn activity(&self, endpoints: Vec<String>, lately: Lately) -> Answer<'_, Vec<Activity>> {
        self.step(self.store.activity(endpoints, lately))
    }
    fn arrivals(&self, origins: Vec<Origin>, limit: u32) -> Answer<'_, Vec<Vec<Timestamp>>> {
        self.step(self.store.arrivals(origins, limit))
    }
    fn particulars(&self, deliveries: Vec<DeliveryId>) -> Answer<'_, Vec<Option<Particulars>>> {
        self.step(self.store.particulars(deliveries))
    }
}
