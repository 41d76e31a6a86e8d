//! Who goes next: the limiter without its waiting.
//!
//! A call passes up to three lanes, from the narrowest scope to the widest, and goes when all are open; then it takes from all of
//! them at once. Until then it takes nothing and waits in the first lane that holds it. In no lane does a call overtake an earlier
//! one that waits there. Two things follow. Calls of the same lanes go in order of arrival, and a call that one lane holds costs the
//! others nothing. And none starves: whoever could drain a narrow lane has to get by the same wider ones, where this call waits
//! first.
//!
//! Several lists of limits may share buckets and the bound on concurrency. Each list has lanes of its own, so that a call which waits for
//! a limit of its list alone holds up no other list. From a shared bucket the lists take in the order in which they ask when there is
//! something in it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::mem;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use slab::Slab;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::lane::{Closed, Hold, Lane, Parked, Place};
use super::{Bucket, Learned, Limits, Refill, Scope};
use crate::{Context, Error, Kind};

type LaneId = usize;

/// A call on its way through the lanes.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Number of the call, from 1; 0 before it asked and after it went.
    arrival: u64,
    /// Number of its list of limits. That is also its lane of [`Scope::All`]: these are made first and never forgotten.
    list: usize,
    tokens: u32,
    /// Its lanes, narrowest first. It holds them: they are not forgotten.
    lanes: [Option<LaneId>; 3],
    parked: Option<(LaneId, Arc<Notify>)>,
}

impl Turn {
    /// Whether it is on its way.
    pub(super) fn is_open(&self) -> bool {
        self.arrival != 0
    }

    /// Is told when a call that waits should ask again.
    pub(super) fn notify(&self) -> Option<&Notify> {
        self.parked.as_ref().map(|(_, notify)| &**notify)
    }
}

pub(super) enum Attempt {
    Goes(Taken),
    Waits(Closed),
}

/// What a call that went gives back.
#[derive(Debug)]
pub(super) struct Taken {
    tokens: u32,
    went: Instant,
    /// Where the server's answer is to be told, until it was. It holds that lane.
    learns: Option<LaneId>,
}

/// A list of limits that are held at once.
#[derive(Debug)]
struct List {
    limits: Limits,
    /// Those for which something is kept, narrowest first.
    scopes: [Option<Scope>; 3],
}

impl List {
    fn new(limits: Limits) -> Self {
        let scopes = [Scope::Operation, Scope::Key, Scope::All].map(|scope| {
            let kept = scope == Scope::All
                || limits.learn == Some(scope)
                || limits.quotas.iter().any(|quota| quota.per == scope);
            kept.then_some(scope)
        });
        Self { limits, scopes }
    }
}

#[derive(Debug)]
pub(super) struct State {
    lists: Vec<List>,
    shared: Vec<(Arc<str>, Bucket)>,
    lanes: Slab<Lane>,
    by_place: HashMap<(usize, Place), LaneId, foldhash::fast::RandomState>,
    /// Every lane that can be, with a time before which it cannot be forgotten.
    forgettable: BinaryHeap<Reverse<(Instant, LaneId)>>,
    under_way: u32,
    arrivals: u64,
    woken: Vec<Arc<Notify>>,
}

/// A lane that waits for an answer may be forgettable after it: it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl State {
    /// The limits of `lists`, which have one bucket for all quotas of [`Scope::All`] of a name in `shared`, as large as the first of them.
    pub(super) fn new(lists: Vec<Limits>, shared: &[&str]) -> Self {
        let now = Instant::now();
        let quotas =
            || lists.iter().flat_map(|limits| &limits.quotas).filter(|quota| quota.per == Scope::All);
        let bucket = |name: &&str| {
            let quota = quotas().find(|quota| *quota.name == **name)?;
            Some((Arc::clone(&quota.name), Bucket::new(quota.capacity, quota.refill, now)))
        };
        let shared: Vec<_> = shared.iter().filter_map(bucket).collect();
        let mut lanes = Slab::new();
        for (list, limits) in lists.iter().enumerate() {
            lanes.insert(Lane::new(list, Place::All, limits, &shared, now));
        }
        Self {
            lists: lists.into_iter().map(List::new).collect(),
            shared,
            lanes,
            by_place: HashMap::default(),
            forgettable: BinaryHeap::new(),
            under_way: 0,
            arrivals: 0,
            woken: Vec::new(),
        }
    }

    /// Lets the call of `context` go, or parks it where it is held.
    ///
    /// # Errors
    /// It can never go, or there are too many keys.
    pub(super) fn attempt(
        &mut self,
        list: usize,
        turn: &mut Turn,
        context: &Context,
        now: Instant,
    ) -> Result<Attempt, Error> {
        if !turn.is_open() {
            self.enter(list, turn, context, now)?;
        }
        let mut held: Option<(LaneId, Closed)> = None;
        for id in turn.lanes.into_iter().flatten() {
            let closed = self.lanes[id].closed(turn.tokens, turn.arrival, &self.shared, now)?;
            let Some(closed) = closed.or_else(|| self.crowded(id, now)) else { continue };
            held = Some(match held {
                None => (id, closed),
                // It moves on to the next lane as soon as the first one lets it.
                Some((first, before)) => (first, Closed { recheck: before.recheck, ..before.and(closed) }),
            });
        }
        Ok(match held {
            None => Attempt::Goes(self.take(turn, now)),
            Some((id, closed)) => {
                let first = self.park(turn, id);
                Attempt::Waits(Closed { recheck: closed.recheck.filter(|_| first), ..closed })
            }
        })
    }

    /// The call is not on its way any more. Whoever is next where it waited may go.
    pub(super) fn exit(&mut self, turn: &mut Turn) {
        if let Some((id, _)) = turn.parked.take() {
            self.leave(id, turn.arrival);
        }
        for id in turn.lanes.iter_mut().filter_map(Option::take) {
            self.lanes[id].holders -= 1;
        }
        turn.arrival = 0;
    }

    /// The call was answered, and this is what the answer told.
    pub(super) fn answered(&mut self, taken: &mut Taken, told: &[Learned], now: Instant) {
        if let Some(id) = taken.learns.take() {
            self.lanes[id].holders -= 1;
            self.lanes[id].learner.answered(taken.tokens, told, now);
            self.lanes[id].pace.taken(taken.tokens, now);
            self.wake_for(id, told);
        }
    }

    /// The call was refused, and nothing of what the answer told says until when.
    pub(super) fn refused(&mut self, taken: &mut Taken, told: &[Learned], now: Instant) {
        if let Some(id) = taken.learns.take() {
            self.lanes[id].holders -= 1;
            self.lanes[id].learner.answered(taken.tokens, told, now);
            self.lanes[id].pace.refused(taken.went, now);
            self.wake_for(id, told);
        }
    }

    /// The call is over.
    pub(super) fn release(&mut self, taken: &mut Taken) {
        if let Some(id) = taken.learns.take() {
            self.lanes[id].holders -= 1;
            self.lanes[id].learner.unanswered(taken.tokens);
            self.wake_first(id);
        }
        self.under_way -= 1;
        self.wake_crowded();
    }

    /// Takes in what was told elsewhere about the calls of `context`.
    pub(super) fn learn(
        &mut self,
        list: usize,
        context: &Context,
        told: &[Learned],
        now: Instant,
    ) -> Result<(), Error> {
        let Some(scope) = self.lists[list].limits.learn else { return Ok(()) };
        let id = self.lane_of(list, Place::of(scope, context), now)?;
        for new in told {
            self.lanes[id].learner.learn(new, 0, now);
        }
        self.wake_for(id, told);
        Ok(())
    }

    pub(super) fn set_quota(
        &mut self,
        name: &str,
        capacity: NonZeroU32,
        refill: Refill,
        now: Instant,
    ) -> Result<(), Error> {
        let quotas = self.lists.iter_mut().flat_map(|list| &mut list.limits.quotas);
        let mut changed = None;
        for quota in quotas.filter(|quota| *quota.name == *name) {
            (quota.capacity, quota.refill) = (capacity, refill);
            changed = Some(&*quota);
        }
        let Some(quota) = changed else {
            return Err(Error::configuration(format!("there is no limit {name:?} to change")));
        };
        for (_, bucket) in self.shared.iter_mut().filter(|(shared, _)| **shared == *name) {
            bucket.set_quota(capacity, refill, now);
        }
        for (_, lane) in &mut self.lanes {
            lane.set_quota(quota, now);
            self.woken.extend(lane.first().map(|parked| Arc::clone(&parked.notify)));
        }
        Ok(())
    }

    pub(super) fn set_concurrency(&mut self, concurrency: Option<NonZeroU32>) {
        for list in 0..self.lists.len() {
            self.lists[list].limits.concurrency = concurrency;
            self.wake_first(list);
        }
    }

    /// Those who should ask again. Told outside the lock: a waker may run foreign code, even drop another call that waits.
    pub(super) fn take_woken(&mut self) -> Vec<Arc<Notify>> {
        mem::take(&mut self.woken)
    }

    /// Number of lanes that are remembered, but for that of all calls.
    pub(super) fn keys(&self) -> usize {
        self.lanes.len() - self.lists.len()
    }

    fn enter(&mut self, list: usize, turn: &mut Turn, context: &Context, now: Instant) -> Result<(), Error> {
        self.arrivals += 1;
        turn.arrival = self.arrivals;
        turn.list = list;
        turn.tokens = context.cost.get();
        for (lane, scope) in turn.lanes.iter_mut().zip(self.lists[list].scopes) {
            let Some(scope) = scope else { continue };
            let id = self.lane_of(list, Place::of(scope, context), now)?;
            self.lanes[id].holders += 1;
            *lane = Some(id);
        }
        Ok(())
    }

    fn take(&mut self, turn: &mut Turn, now: Instant) -> Taken {
        let mut taken = Taken { tokens: turn.tokens, went: now, learns: None };
        let learn = self.lists[turn.list].limits.learn;
        for id in turn.lanes.into_iter().flatten() {
            let lane = &mut self.lanes[id];
            lane.take(turn.tokens, &mut self.shared, now);
            if learn == Some(lane.place().scope()) {
                lane.learner.take(turn.tokens);
                lane.holders += 1;
                taken.learns = Some(id);
            }
        }
        self.under_way += 1;
        self.exit(turn);
        taken
    }

    /// Makes the call wait in one lane and nowhere else. True if it is the first there.
    fn park(&mut self, turn: &mut Turn, id: LaneId) -> bool {
        let arrival = turn.arrival;
        if turn.parked.as_ref().is_none_or(|(parked, _)| *parked != id) {
            let notify = turn.parked.take().map_or_else(Arc::default, |(left, notify)| {
                self.leave(left, arrival);
                notify
            });
            self.lanes[id].park(arrival, Parked { tokens: turn.tokens, notify: Arc::clone(&notify) });
            turn.parked = Some((id, notify));
        }
        self.lanes[id].is_first(arrival)
    }

    fn leave(&mut self, id: LaneId, arrival: u64) {
        let was_first = self.lanes[id].is_first(arrival);
        self.lanes[id].leave(arrival);
        if was_first {
            self.wake_first(id);
        }
    }

    /// The bound on calls at once is one more thing that all calls share.
    fn crowded(&self, id: LaneId, now: Instant) -> Option<Closed> {
        let bound = self.lists.get(id)?.limits.concurrency.filter(|bound| self.under_way >= bound.get())?;
        Some(Closed { earliest: now, recheck: None, by: Hold::Concurrency(bound) })
    }

    /// There is room for one more call. Whichever list it is of: those that find none wait on.
    fn wake_crowded(&mut self) {
        for list in 0..self.lists.len() {
            if self.lists[list].limits.concurrency.is_some() {
                self.wake_first(list);
            }
        }
    }

    /// Something changed for those who wait in a lane. The first asks again, and when it goes wakes the next.
    fn wake_first(&mut self, id: LaneId) {
        self.woken.extend(self.lanes[id].first().map(|parked| Arc::clone(&parked.notify)));
    }

    /// A closed door is news for all who wait: those for whom it opens too late need not stay.
    fn wake_for(&mut self, id: LaneId, told: &[Learned]) {
        if told.iter().all(|new| new.remaining > 0) {
            self.wake_first(id);
        } else {
            self.woken.extend(self.lanes[id].waiting().map(|parked| Arc::clone(&parked.notify)));
        }
    }

    fn lane_of(&mut self, list: usize, place: Place, now: Instant) -> Result<LaneId, Error> {
        if place == Place::All {
            return Ok(list);
        }
        let place = (list, place);
        if let Some(id) = self.by_place.get(&place) {
            return Ok(*id);
        }
        let max_keys = self.lists[list].limits.max_keys;
        self.forget(max_keys, now);
        if self.keys() >= max_keys {
            return Err(Error::new(Kind::Limit, format!("more than {max_keys} keys are limited at once"))
                .advise("use fewer limit keys, or raise the number of keys that are remembered"));
        }
        let lane = Lane::new(list, place.1.clone(), &self.lists[list].limits, &self.shared, now);
        let id = self.lanes.insert(lane);
        self.by_place.insert(place, id);
        self.forgettable.push(Reverse((now, id)));
        Ok(id)
    }

    /// Forgets lanes that are as good as new: two for each that is made, so that they do not pile up; at the bound, any.
    fn forget(&mut self, max_keys: usize, now: Instant) {
        let mut looked_at = 0;
        while let Some(Reverse((at, id))) = self.forgettable.pop() {
            if at > now || (looked_at >= 2 && self.keys() < max_keys) {
                self.forgettable.push(Reverse((at, id)));
                break;
            }
            looked_at += 1;
            match self.lanes[id].forgettable_at(now) {
                Some(at) if at <= now => {
                    let lane = self.lanes.remove(id);
                    self.by_place.remove(&(lane.list, lane.place().clone()));
                }
                later => self.forgettable.push(Reverse((later.unwrap_or(now + LOOK_AGAIN), id))),
            }
        }
    }
}
