//! Who goes next: the limiter without its waiting.
//!
//! A call passes up to three lanes, from the narrowest scope to the widest, and goes when all are open; then it takes from all of
//! them at once. Until then it takes nothing and waits in the first lane that holds it. In no lane does a call overtake an earlier
//! one that waits there. Two things follow. Calls of the same lanes go in order of arrival, and a call that one lane holds costs the
//! others nothing. And none starves: whoever could drain a narrow lane has to get by the same wider ones, where this call waits
//! first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::mem;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::lane::{Closed, Lane, Parked, Place};
use super::{Learned, Limits, Refill, Scope};
use crate::{Context, Error, Kind};

/// A call on its way through the lanes.
#[derive(Debug)]
pub(super) struct Turn {
    tokens: u32,
    /// One for each scope for which something is kept, narrowest first.
    places: [Option<Place>; 3],
    /// Number of the call, from 1; 0 before the first attempt.
    arrival: u64,
    parked: Option<(Place, Arc<Notify>)>,
}

impl Turn {
    pub(super) fn new(context: &Context, scopes: [Option<Scope>; 3]) -> Self {
        let places = scopes.map(|scope| Some(Place::of(scope?, context)));
        Self { tokens: context.cost.get(), places, arrival: 0, parked: None }
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
    /// Where the server's answer is to be told, until it was.
    learns: Option<Place>,
}

#[derive(Debug)]
pub(super) struct State {
    limits: Limits,
    lanes: HashMap<Place, Lane>,
    /// Every lane but [`Place::All`], with a time before which it cannot be forgotten.
    forgettable: BinaryHeap<Reverse<(Instant, Place)>>,
    under_way: u32,
    arrivals: u64,
    woken: Vec<Arc<Notify>>,
}

/// A lane that waits for an answer may be forgettable after it: it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        let all = Lane::new(Scope::All, &limits, Instant::now());
        Self {
            limits,
            lanes: HashMap::from([(Place::All, all)]),
            forgettable: BinaryHeap::new(),
            under_way: 0,
            arrivals: 0,
            woken: Vec::new(),
        }
    }

    /// The scopes for which something is kept, narrowest first.
    pub(super) fn scopes(&self) -> [Option<Scope>; 3] {
        [Scope::Operation, Scope::Key, Scope::All].map(|scope| {
            let kept = scope == Scope::All
                || self.limits.learn == Some(scope)
                || self.limits.quotas.iter().any(|quota| quota.per == scope);
            kept.then_some(scope)
        })
    }

    /// Lets the call go, or parks it where it is held.
    ///
    /// # Errors
    /// It can never go, or there are too many keys.
    pub(super) fn attempt(&mut self, turn: &mut Turn, now: Instant) -> Result<Attempt, Error> {
        if turn.arrival == 0 {
            self.arrivals += 1;
            turn.arrival = self.arrivals;
        }
        self.make_lanes(&turn.places, now)?;
        let mut held: Option<(Place, Closed)> = None;
        for place in turn.places.iter().flatten() {
            let closed = self.lane(place).closed(turn.tokens, turn.arrival, now)?;
            let Some(closed) = closed.or_else(|| self.crowded(place, now)) else { continue };
            held = Some(match held {
                None => (place.clone(), closed),
                // It moves on to the next lane as soon as the first one lets it.
                Some((first, before)) => (first, Closed { recheck: before.recheck, ..before.and(closed) }),
            });
        }
        Ok(match held {
            None => Attempt::Goes(self.take(turn, now)),
            Some((place, closed)) => {
                let first = self.park(turn, &place);
                Attempt::Waits(Closed { recheck: closed.recheck.filter(|_| first), ..closed })
            }
        })
    }

    /// The call does not wait any more; whoever is next may go.
    pub(super) fn leave(&mut self, turn: &mut Turn) {
        if let Some((place, _)) = turn.parked.take() {
            self.leave_lane(&place, turn.arrival);
        }
    }

    /// The call was answered, and this is what the answer told.
    pub(super) fn answered(&mut self, taken: &mut Taken, told: &[Learned], now: Instant) {
        if let Some(place) = taken.learns.take() {
            self.lane(&place).learner.answered(taken.tokens, told, now);
            self.wake_for(&place, told);
        }
    }

    /// The call is over.
    pub(super) fn release(&mut self, taken: &mut Taken) {
        if let Some(place) = taken.learns.take() {
            self.lane(&place).learner.unanswered(taken.tokens);
            self.wake_first(&place);
        }
        self.under_way -= 1;
        if self.limits.concurrency.is_some() {
            self.wake_first(&Place::All);
        }
    }

    /// Takes in what was told elsewhere about the calls of `context`.
    pub(super) fn learn(&mut self, context: &Context, told: &[Learned], now: Instant) -> Result<(), Error> {
        let Some(scope) = self.limits.learn else { return Ok(()) };
        let place = Place::of(scope, context);
        self.make_lanes(&[Some(place.clone())], now)?;
        let learner = &mut self.lane(&place).learner;
        for new in told {
            learner.learn(new, 0, now);
        }
        self.wake_for(&place, told);
        Ok(())
    }

    pub(super) fn set_quota(
        &mut self,
        name: &str,
        capacity: NonZeroU32,
        refill: Refill,
        now: Instant,
    ) -> Result<(), Error> {
        let Some(quota) = self.limits.quotas.iter_mut().find(|quota| *quota.name == *name) else {
            return Err(Error::configuration(format!("there is no limit {name:?} to change")));
        };
        (quota.capacity, quota.refill) = (capacity, refill);
        for lane in self.lanes.values_mut() {
            lane.set_quotas(&self.limits, now);
            self.woken.extend(lane.first().map(|parked| Arc::clone(&parked.notify)));
        }
        Ok(())
    }

    pub(super) fn set_concurrency(&mut self, concurrency: Option<NonZeroU32>) {
        self.limits.concurrency = concurrency;
        self.wake_first(&Place::All);
    }

    /// Those who should ask again. Told outside the lock: a waker may run foreign code, even drop another call that waits.
    pub(super) fn take_woken(&mut self) -> Vec<Arc<Notify>> {
        mem::take(&mut self.woken)
    }

    /// Number of lanes that are remembered.
    #[cfg(test)]
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    fn take(&mut self, turn: &mut Turn, now: Instant) -> Taken {
        self.leave(turn);
        self.under_way += 1;
        let (learning, mut learns) = (self.limits.learn, None);
        for place in turn.places.iter().flatten() {
            let lane = self.lane(place);
            lane.take(turn.tokens, now);
            if learning == Some(place.scope()) {
                lane.learner.take(turn.tokens);
                learns = Some(place.clone());
            }
        }
        Taken { tokens: turn.tokens, learns }
    }

    /// Makes the call wait in `place` and nowhere else. True if it is the first there.
    fn park(&mut self, turn: &mut Turn, place: &Place) -> bool {
        let arrival = turn.arrival;
        if turn.parked.as_ref().is_none_or(|(parked, _)| parked != place) {
            let notify = turn.parked.take().map_or_else(Arc::default, |(left, notify)| {
                self.leave_lane(&left, arrival);
                notify
            });
            self.lane(place).park(arrival, Parked { tokens: turn.tokens, notify: Arc::clone(&notify) });
            turn.parked = Some((place.clone(), notify));
        }
        self.lane(place).is_first(arrival)
    }

    fn leave_lane(&mut self, place: &Place, arrival: u64) {
        let lane = self.lane(place);
        let was_first = lane.is_first(arrival);
        lane.leave(arrival);
        if was_first {
            self.wake_first(place);
        }
    }

    /// The bound on calls at once is one more thing that all calls share.
    fn crowded(&self, place: &Place, now: Instant) -> Option<Closed> {
        let bound =
            self.limits.concurrency.filter(|bound| *place == Place::All && self.under_way >= bound.get())?;
        Some(Closed {
            earliest: now,
            recheck: None,
            what: format!("the bound of {bound} calls at once").into(),
        })
    }

    /// Something changed for those who wait in `place`. The first asks again, and when it goes wakes the next.
    fn wake_first(&mut self, place: &Place) {
        let first = self.lanes.get(place).and_then(Lane::first);
        self.woken.extend(first.map(|parked| Arc::clone(&parked.notify)));
    }

    /// A closed door is news for all who wait: those for whom it opens too late need not stay.
    fn wake_for(&mut self, place: &Place, told: &[Learned]) {
        if told.iter().all(|new| new.remaining > 0) {
            return self.wake_first(place);
        }
        let waiting = self.lanes.get(place).into_iter().flat_map(Lane::waiting);
        self.woken.extend(waiting.map(|parked| Arc::clone(&parked.notify)));
    }

    /// Makes those lanes that are missing.
    fn make_lanes(&mut self, places: &[Option<Place>], now: Instant) -> Result<(), Error> {
        let missing = |lanes: &HashMap<Place, Lane>| {
            places.iter().flatten().filter(|place| !lanes.contains_key(place)).count()
        };
        if missing(&self.lanes) == 0 {
            return Ok(());
        }
        // Before any is made: one of these may be as good as new itself.
        self.forget(now);
        let max_keys = self.limits.max_keys;
        if self.keys() + missing(&self.lanes) > max_keys {
            return Err(Error::new(Kind::Limit, format!("more than {max_keys} keys are limited at once"))
                .advise("use fewer limit keys, or raise the number of keys that are remembered"));
        }
        for place in places.iter().flatten() {
            if !self.lanes.contains_key(place) {
                self.forgettable.push(Reverse((now, place.clone())));
                self.lanes.insert(place.clone(), Lane::new(place.scope(), &self.limits, now));
            }
        }
        Ok(())
    }

    /// Forgets lanes that are as good as new: a few at a time, so that they do not pile up; as many as are needed at the bound.
    fn forget(&mut self, now: Instant) {
        const AT_A_TIME: usize = 4;
        let mut looked_at = 0;
        while let Some(Reverse((at, place))) = self.forgettable.pop() {
            let full = self.keys() + AT_A_TIME > self.limits.max_keys;
            if at > now || (looked_at >= AT_A_TIME && !full) {
                self.forgettable.push(Reverse((at, place)));
                break;
            }
            looked_at += 1;
            match self.lanes[&place].forgettable_at(now) {
                Some(at) if at <= now => {
                    self.lanes.remove(&place);
                }
                later => self.forgettable.push(Reverse((later.unwrap_or(now + LOOK_AGAIN), place))),
            }
        }
    }

    /// All lanes but [`Place::All`].
    fn keys(&self) -> usize {
        self.lanes.len() - 1
    }

    fn lane(&mut self, place: &Place) -> &mut Lane {
        self.lanes
            .get_mut(place)
            .expect("no lane is forgotten that was just made, has a call waiting or under way")
    }
}
