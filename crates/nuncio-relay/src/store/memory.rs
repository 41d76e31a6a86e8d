//! A store that is plain enough to be believed. It forgets all when it is dropped.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use jiff::Timestamp;

use crate::{Attempt, Delivery, DeliveryId, Event, EventId, Origin, Progress, State};

use super::{
    Activity, Advance, Answer, Append, Appended, Change, DeliveryQuery, Disabled, Document, DocumentKind,
    Documents, EndpointStatus, EventQuery, EventSummary, From, HealthChange, KeptSchedule, Lately, Lease,
    LeaseRequest, Leased, Leases, MAX_SEARCHED_BYTES, Page, Particulars, Refused, Settled, Settlement, Stats,
    Store, StoreError, Then, Tried, Trim, Trimmed,
};

/// A store that is plain enough to be believed: tests hold others against it, and simulations run on it. It forgets all when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    events: BTreeMap<u64, (Event, Option<String>)>,
    deliveries: BTreeMap<DeliveryId, Owed>,
    endpoints: BTreeMap<String, Endpoint>,
    refused: Vec<Refused>,
    documents: BTreeMap<(DocumentKind, String), Document>,
    revision: u64,
    /// Numbers are never given twice: somebody may still hold that of what is gone.
    last_event: u64,
    last_delivery: u64,
    schedules: BTreeMap<String, KeptSchedule>,
}

#[derive(Debug)]
struct Owed {
    delivery: Delivery,
    /// The place of its event.
    event: u64,
    /// When the event was stored.
    at: Timestamp,
    fence: u64,
    attempts: Vec<Attempt>,
    progress: Progress,
}

impl Owed {
    fn is_open(&self) -> bool {
        matches!(self.delivery.state, State::Waiting | State::Parked)
    }
}

#[derive(Debug, Default)]
struct Endpoint {
    disabled: Option<Disabled>,
    failing_since: Option<Timestamp>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Contents) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'_, T> {
        // When it is polled, as with every store: a step that nobody waits for does not happen.
        async move { step(&mut self.contents()) }.boxed()
    }
}

impl Contents {
    fn append(&mut self, append: Append) -> Appended {
        let Append { event, unique, owed } = append;
        let same = unique.as_ref().and_then(|unique| {
            self.events.values().rev().find(|(other, key)| {
                other.origin == event.origin && key.as_ref() == Some(&unique.key) && other.at >= unique.since
            })
        });
        if let Some((same, _)) = same {
            return Appended::Duplicate { id: same.id, same_body: same.body == event.body };
        }
        self.last_event += 1;
        let place = self.last_event;
        for owed in owed.into_iter().filter(|owed| self.endpoints.contains_key(&owed.endpoint)) {
            self.last_delivery += 1;
            let id = DeliveryId(self.last_delivery);
            let is_first = self.queue(&owed.endpoint, owed.order_key.as_deref()).is_empty();
            let delivery = Delivery {
                id,
                event: event.id,
                endpoint: owed.endpoint,
                state: if is_first { State::Waiting } else { State::Parked },
                due: is_first.then_some(owed.due),
                attempts: 0,
                order_key: owed.order_key,
            };
            let owed = Owed {
                delivery,
                event: place,
                at: event.at,
                fence: 0,
                attempts: Vec::new(),
                progress: Progress::default(),
            };
            self.deliveries.insert(id, owed);
        }
        self.events.insert(place, (event, unique.map(|unique| unique.key)));
        Appended::Stored
    }

    /// The open deliveries of a key, the first first. None for deliveries without one.
    fn queue(&self, endpoint: &str, key: Option<&str>) -> Vec<DeliveryId> {
        let Some(key) = key else { return Vec::new() };
        let in_queue = |owed: &&Owed| {
            owed.is_open()
                && owed.delivery.endpoint == endpoint
                && owed.delivery.order_key.as_deref() == Some(key)
        };
        self.deliveries.values().filter(in_queue).map(|owed| owed.delivery.id).collect()
    }

    fn lease(&mut self, request: &LeaseRequest) -> Leases {
        let is_enabled =
            self.endpoints.get(&request.endpoint).is_some_and(|endpoint| endpoint.disabled.is_none());
        if !is_enabled {
            return Leases { taken: Vec::new(), next_due: None };
        }
        let mut due: Vec<(Timestamp, DeliveryId)> = self
            .deliveries
            .values()
            .filter(|owed| owed.delivery.endpoint == request.endpoint)
            .filter_map(|owed| Some((owed.delivery.due?, owed.delivery.id)))
            .filter(|(due, _)| *due <= request.now || *due > request.latest)
            .collect();
        due.sort_unstable();
        due.truncate(request.limit as usize);
        let taken = due.into_iter().filter_map(|(_, id)| self.take(id, request.until)).collect();
        Leases { taken, next_due: self.next_due(&request.endpoint) }
    }

    fn take(&mut self, id: DeliveryId, until: Timestamp) -> Option<Leased> {
        let owed = self.deliveries.get_mut(&id)?;
        owed.fence += 1;
        owed.delivery.attempts += 1;
        owed.delivery.due = Some(until);
        let (event, _) = self.events.get(&owed.event)?;
        let lease = Lease { delivery: id, fence: owed.fence };
        let (attempt, progress) = (owed.delivery.attempts, owed.progress.clone());
        Some(Leased { lease, event: event.clone(), attempt, progress })
    }

    fn next_due(&self, endpoint: &str) -> Option<Timestamp> {
        let of_endpoint = self.deliveries.values().filter(|owed| owed.delivery.endpoint == endpoint);
        of_endpoint.filter_map(|owed| owed.delivery.due).min()
    }

    /// The delivery of this lease, if it is valid.
    fn of_lease(&mut self, lease: Lease) -> Option<&mut Owed> {
        let owed = self.deliveries.get_mut(&lease.delivery)?;
        (owed.fence == lease.fence && owed.delivery.state == State::Waiting).then_some(owed)
    }

    fn settle(&mut self, settlement: Settlement) -> Settled {
        let Some(owed) = self.of_lease(settlement.lease) else { return Settled::Void };
        if let Some(progress) = settlement.progress {
            owed.progress = progress;
        }
        match settlement.attempt {
            Some(attempt) => owed.attempts.push(attempt),
            None => owed.delivery.attempts -= 1,
        }
        // No second settlement by the same lease.
        owed.fence += 1;
        let endpoint = owed.delivery.endpoint.clone();
        let key = owed.delivery.order_key.clone();
        let end = |owed: &mut Owed, state| {
            owed.delivery.state = state;
            owed.delivery.due = None;
        };
        match settlement.then {
            Then::Delivered => end(owed, State::Delivered),
            Then::Dead => end(owed, State::Dead),
            Then::Retry(due) => owed.delivery.due = Some(due),
        }
        let has_ended = !owed.is_open();
        let next = if has_ended { self.advance(&endpoint, key.as_deref(), settlement.now) } else { None };
        if let Some(change) = settlement.health {
            self.set_health(&endpoint, change);
        }
        for append in settlement.tell {
            self.append(append);
        }
        Settled::Done { next }
    }

    /// Lets the next of a key go, if none goes, and says when it is due.
    fn advance(&mut self, endpoint: &str, key: Option<&str>, now: Timestamp) -> Option<Timestamp> {
        let first = self.queue(endpoint, key).first().copied()?;
        let owed = self.deliveries.get_mut(&first).filter(|owed| owed.delivery.state == State::Parked)?;
        owed.delivery.state = State::Waiting;
        owed.delivery.due = Some(now);
        Some(now)
    }

    fn resend(&mut self, id: DeliveryId, due: Timestamp) -> bool {
        let Some(owed) = self.deliveries.get(&id) else { return false };
        let (endpoint, key) = (owed.delivery.endpoint.clone(), owed.delivery.order_key.clone());
        if !self.endpoints.contains_key(&endpoint) {
            return false;
        }
        // One that is parked stays so, and one that has ended queues up behind the others of its key.
        let waits_for_others = self.queue(&endpoint, key.as_deref()).iter().any(|other| *other != id);
        let Some(owed) = self.deliveries.get_mut(&id) else { return false };
        owed.delivery.attempts = 0;
        owed.fence += 1;
        owed.progress = std::mem::take(&mut owed.progress).sent_again(owed.delivery.state);
        let is_head = owed.delivery.state == State::Waiting;
        if is_head || !waits_for_others {
            owed.delivery.state = State::Waiting;
            owed.delivery.due = Some(due);
        } else {
            owed.delivery.state = State::Parked;
        }
        true
    }

    fn set_health(&mut self, name: &str, change: HealthChange) {
        let Some(endpoint) = self.endpoints.get_mut(name) else { return };
        match change {
            HealthChange::Disable { at, reason } => endpoint.disabled = Some(Disabled { at, reason }),
            HealthChange::Enable => endpoint.disabled = None,
            HealthChange::Failing(since) => endpoint.failing_since = Some(since),
            HealthChange::Recovered => endpoint.failing_since = None,
        }
    }

    fn change(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Put(document) => {
                    if document.kind == DocumentKind::Endpoint {
                        self.endpoints.entry(document.name.clone()).or_default();
                    }
                    self.documents.insert((document.kind, document.name.clone()), document);
                }
                Change::Remove(kind, name) => {
                    if kind == DocumentKind::Endpoint {
                        self.endpoints.remove(&name);
                        self.deliveries.retain(|_, owed| owed.delivery.endpoint != name);
                    }
                    if kind == DocumentKind::Schedule {
                        self.schedules.remove(&name);
                    }
                    self.documents.remove(&(kind, name));
                }
            }
        }
        self.revision += 1;
    }

    fn activity(&self, endpoint: &str, lately: Lately) -> Activity {
        let of_endpoint = || self.deliveries.values().rev().filter(|owed| owed.delivery.endpoint == endpoint);
        let count = |wanted: fn(&&Owed) -> bool| {
            of_endpoint().filter(wanted).take(lately.count as usize).count() as u64
        };
        let newest = of_endpoint().take(lately.deliveries as usize);
        let mut tried: Vec<_> = newest.flat_map(|owed| &owed.attempts).map(Tried::from).collect();
        tried.sort_by_key(|tried| std::cmp::Reverse(tried.at));
        tried.truncate(lately.deliveries as usize);
        Activity {
            waiting: count(|owed| owed.is_open()),
            dead: count(|owed| owed.delivery.state == State::Dead),
            tried,
        }
    }

    fn summary(&self, position: u64, event: &Event) -> EventSummary {
        let of_event = || self.deliveries.values().filter(|owed| owed.event == position);
        let count = |state| of_event().filter(|owed| owed.delivery.state == state).count() as u32;
        EventSummary {
            position,
            id: event.id,
            origin: event.origin.clone(),
            event_type: event.event_type.clone(),
            at: event.at,
            body_bytes: event.body.len() as u64,
            owed: count(State::Waiting) + count(State::Parked),
            delivered: count(State::Delivered),
            dead: count(State::Dead),
        }
    }
}

/// The page of `all`, which are in ascending order of their numbers.
fn page<T>(all: Vec<(u64, T)>, from: From, limit: u32) -> Page<T> {
    let mut wanted: Vec<(u64, T)> = match from {
        From::Newest => all.into_iter().rev().collect(),
        From::Before(before) => all.into_iter().rev().filter(|(number, _)| *number < before).collect(),
        From::After(after) => all.into_iter().filter(|(number, _)| *number > after).collect(),
    };
    let more = wanted.len() > limit as usize;
    wanted.truncate(limit as usize);
    let next = wanted.last().filter(|_| more).map(|(number, _)| *number);
    Page { items: wanted.into_iter().map(|(_, item)| item).collect(), next }
}

fn within(at: Timestamp, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until)
}

impl Store for MemoryStore {
    fn append(&self, append: Append) -> Answer<'_, Appended> {
        self.step(|contents| Ok(contents.append(append)))
    }

    fn lease(&self, requests: Vec<LeaseRequest>) -> Answer<'_, Vec<Leases>> {
        self.step(move |contents| Ok(requests.iter().map(|request| contents.lease(request)).collect()))
    }

    fn note(&self, lease: Lease, progress: Progress) -> Answer<'_, bool> {
        self.step(move |contents| {
            let owed = contents.of_lease(lease);
            Ok(owed.map(|owed| owed.progress = progress).is_some())
        })
    }

    fn settle(&self, settlement: Settlement) -> Answer<'_, Settled> {
        self.step(|contents| Ok(contents.settle(settlement)))
    }

    fn resend(
        &self,
        deliveries: Vec<DeliveryId>,
        due: Timestamp,
        progress: Option<Document>,
    ) -> Answer<'_, u64> {
        self.step(move |contents| {
            let count = deliveries.into_iter().filter(|id| contents.resend(*id, due)).count();
            if let Some(document) = progress {
                contents.change(vec![Change::Put(document)]);
            }
            Ok(count as u64)
        })
    }

    fn set_health(&self, endpoint: String, change: HealthChange) -> Answer<'_, ()> {
        self.step(move |contents| {
            contents.set_health(&endpoint, change);
            Ok(())
        })
    }

    fn endpoints(&self) -> Answer<'_, Vec<EndpointStatus>> {
        self.step(|contents| {
            let status = |(name, endpoint): (&String, &Endpoint)| EndpointStatus {
                name: name.clone(),
                disabled: endpoint.disabled.clone(),
                failing_since: endpoint.failing_since,
                next_due: contents.next_due(name),
            };
            Ok(contents.endpoints.iter().map(status).collect())
        })
    }

    fn refuse(&self, refused: Refused, keep: u32) -> Answer<'_, ()> {
        self.step(move |contents| {
            let origin = refused.origin.clone();
            contents.refused.push(refused);
            let mut surplus = contents
                .refused
                .iter()
                .filter(|other| other.origin == origin)
                .count()
                .saturating_sub(keep as usize);
            contents.refused.retain(|other| {
                let goes = other.origin == origin && surplus > 0;
                surplus -= usize::from(goes);
                !goes
            });
            Ok(())
        })
    }

    fn refused(&self, origin: Origin, limit: u32) -> Answer<'_, Vec<Refused>> {
        self.step(move |contents| {
            let of_origin = contents.refused.iter().rev().filter(|refused| refused.origin == origin);
            Ok(of_origin.take(limit as usize).cloned().collect())
        })
    }

    fn event(&self, id: EventId) -> Answer<'_, Option<Event>> {
        self.step(move |contents| {
            Ok(contents.events.values().find(|(event, _)| event.id == id).map(|(event, _)| event.clone()))
        })
    }

    fn events(&self, query: EventQuery) -> Answer<'_, Page<EventSummary>> {
        self.step(move |contents| {
            let holds = |event: &Event, text: &str| {
                event.body.len() <= MAX_SEARCHED_BYTES as usize
                    && event.body.windows(text.len().max(1)).any(|part| part == text.as_bytes())
            };
            let has = |event: &Event, state: State| {
                let mut deliveries = contents.deliveries.values();
                deliveries.any(|owed| owed.delivery.event == event.id && owed.delivery.state == state)
            };
            let is_wanted = |event: &Event| {
                query.origin.as_ref().is_none_or(|origin| *origin == event.origin)
                    && query.event_type.as_ref().is_none_or(|wanted| *wanted == event.event_type)
                    && within(event.at, query.since, query.until)
                    && query.state.is_none_or(|state| has(event, state))
                    && query.text.as_ref().is_none_or(|text| holds(event, text))
            };
            let wanted = contents.events.iter().filter(|(_, (event, _))| is_wanted(event));
            let all = wanted.map(|(place, (event, _))| (*place, contents.summary(*place, event))).collect();
            Ok(page(all, query.from, query.limit))
        })
    }

    fn deliveries(&self, query: DeliveryQuery) -> Answer<'_, Page<Delivery>> {
        self.step(move |contents| {
            let is_wanted = |owed: &&Owed| {
                query.event.is_none_or(|event| event == owed.delivery.event)
                    && query.endpoint.as_ref().is_none_or(|endpoint| *endpoint == owed.delivery.endpoint)
                    && query.state.is_none_or(|state| state == owed.delivery.state)
                    && within(owed.at, query.since, query.until)
            };
            let wanted = contents.deliveries.values().filter(is_wanted);
            let all = wanted.map(|owed| (owed.delivery.id.0, owed.delivery.clone())).collect();
            Ok(page(all, query.from, query.limit))
        })
    }

    fn attempts(&self, delivery: DeliveryId) -> Answer<'_, Vec<Attempt>> {
        self.step(move |contents| {
            Ok(contents.deliveries.get(&delivery).map(|owed| owed.attempts.clone()).unwrap_or_default())
        })
    }

    fn documents(&self) -> Answer<'_, Documents> {
        self.step(|contents| {
            Ok(Documents { revision: contents.revision, all: contents.documents.values().cloned().collect() })
        })
    }

    fn change(&self, changes: Vec<Change>, revision: Option<u64>) -> Answer<'_, u64> {
        self.step(move |contents| {
            if revision.is_some_and(|revision| revision != contents.revision) {
                return Err(StoreError::Changed);
            }
            contents.change(changes);
            Ok(contents.revision)
        })
    }

    fn schedules(&self) -> Answer<'_, BTreeMap<String, KeptSchedule>> {
        self.step(|contents| Ok(contents.schedules.clone()))
    }

    fn advance(&self, step: Advance) -> Answer<'_, bool> {
        self.step(move |contents| {
            let Advance { name, mut kept, events } = step;
            if contents.schedules.get(&name).map_or(0, |found| found.revision) != kept.revision {
                return Ok(false);
            }
            if !contents.documents.contains_key(&(DocumentKind::Schedule, name.clone())) {
                return Ok(false);
            }
            kept.revision += 1;
            contents.schedules.insert(name, kept);
            for event in events {
                contents.append(event);
            }
            Ok(true)
        })
    }

    fn trim(&self, trim: Trim) -> Answer<'_, Trimmed> {
        self.step(move |contents| {
            let mut looked_at: Vec<u64> = contents
                .events
                .range(trim.after + 1..)
                .map(|(place, _)| *place)
                .take(trim.limit as usize)
                .collect();
            let last = looked_at.last().copied().filter(|_| looked_at.len() == trim.limit as usize);
            looked_at
                .retain(|place| contents.events.get(place).is_some_and(|(event, _)| event.at < trim.before));
            let next = last.filter(|_| !looked_at.is_empty());
            looked_at.retain(|place| {
                !contents.deliveries.values().any(|owed| owed.event == *place && owed.is_open())
            });
            for place in &looked_at {
                contents.events.remove(place);
                contents.deliveries.retain(|_, owed| owed.event != *place);
            }
            Ok(Trimmed { removed: looked_at.len() as u64, next })
        })
    }

    fn stats(&self) -> Answer<'_, Stats> {
        self.step(|contents| {
            let count =
                |wanted: fn(&&Owed) -> bool| contents.deliveries.values().filter(wanted).count() as u64;
            Ok(Stats {
                events: contents.events.len() as u64,
                waiting: count(|owed| owed.is_open()),
                dead: count(|owed| owed.delivery.state == State::Dead),
                bytes: 0,
            })
        })
    }

    fn glance(&self, count: u32) -> Answer<'_, Stats> {
        Box::pin(async move {
            let Stats { events, waiting, dead, bytes } = self.stats().await?;
            let bounded = |number: u64| number.min(count.into());
            Ok(Stats { events: bounded(events), waiting: bounded(waiting), dead: bounded(dead), bytes })
        })
    }

    fn activity(&self, endpoints: Vec<String>, lately: Lately) -> Answer<'_, Vec<Activity>> {
        self.step(move |contents| {
            Ok(endpoints.iter().map(|endpoint| contents.activity(endpoint, lately)).collect())
        })
    }

    fn arrivals(&self, origins: Vec<Origin>, limit: u32) -> Answer<'_, Vec<Vec<Timestamp>>> {
        self.step(move |contents| {
            let of = |origin: &Origin| {
                let all = contents.events.values().rev().filter(|(event, _)| event.origin == *origin);
                all.map(|(event, _)| event.at).take(limit as usize).collect()
            };
            Ok(origins.iter().map(of).collect())
        })
    }

    fn particulars(&self, deliveries: Vec<DeliveryId>) -> Answer<'_, Vec<Option<Particulars>>> {
        self.step(move |contents| {
            let of = |id: &DeliveryId| {
                let owed = contents.deliveries.get(id)?;
                let (event, _) = contents.events.get(&owed.event)?;
                let (origin, event_type) = (event.origin.clone(), event.event_type.clone());
                let last = owed.attempts.last().map(Tried::from);
                Some(Particulars { origin, event_type, at: event.at, last })
            };
            Ok(deliveries.iter().map(of).collect())
        })
    }
}
