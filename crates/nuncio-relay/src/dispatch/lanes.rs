//! Whose turn it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::directory::{Directory, Endpoint};
use crate::store::EndpointStatus;

use super::lane::{Lane, Room};
use super::pace::Pace;
use super::verdict::later;

/// Nothing waits longer than that, or than its event may get old: neither for its next attempt nor for the end of a lease.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// How many deliveries one endpoint gets at a turn, so that none keeps the others waiting.
const TURN: u32 = 64;

/// An endpoint in the dispatcher's eyes.
pub(super) struct Known {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) lane: Lane,
    /// When something is due that is not in our care, as far as is known.
    next_due: Option<Timestamp>,
    pub(super) failing_since: Option<Timestamp>,
    /// Whether the store has told what was before us.
    is_met: bool,
}

impl Known {
    /// What is due later than this was written by a clock that was set back since, while nobody looked.
    pub(super) fn latest(&self, now: Timestamp) -> Timestamp {
        later(now, self.endpoint.settings.delivery.expires_after.0.max(LONGEST_WAIT))
    }
}

/// All endpoints, and who was served last.
#[derive(Default)]
pub(super) struct Lanes {
    known: BTreeMap<String, Known>,
    served_last: String,
}

/// What is to be done now.
pub(super) struct Turns {
    /// Who gets how many.
    pub(super) now: Vec<(String, u32)>,
    /// When to look again, by [`Handle::now`](super::Handle::now).
    pub(super) due: Option<Timestamp>,
    /// When to look again, because a lane has room then.
    pub(super) free: Option<Instant>,
}

impl Lanes {
    /// Follows the settings.
    pub(super) fn set(&mut self, directory: &Directory, now: Instant) {
        self.known.retain(|name, _| directory.endpoints.contains_key(name));
        for (name, endpoint) in &directory.endpoints {
            let delivery = &endpoint.settings.delivery;
            match self.known.get_mut(name) {
                Some(known) => {
                    known.lane.set(delivery, now);
                    known.endpoint = Arc::clone(endpoint);
                }
                None => {
                    let lane = Lane::new(delivery, now);
                    let endpoint = Arc::clone(endpoint);
                    let known = Known { endpoint, lane, next_due: None, failing_since: None, is_met: false };
                    self.known.insert(name.clone(), known);
                }
            }
        }
    }

    /// Takes over what the store says. It may be older than what was heard since: nothing that is due is forgotten.
    pub(super) fn learn(&mut self, statuses: Vec<EndpointStatus>) {
        for status in statuses {
            let Some(known) = self.known.get_mut(&status.name) else { continue };
            if !std::mem::replace(&mut known.is_met, true) {
                known.failing_since = status.failing_since;
            }
            if let (None, Some(due)) = (status.disabled, status.next_due) {
                self.wake(&status.name, due);
            }
        }
    }

    /// How endpoints are delivered to.
    pub(super) fn paces(&self, now: Timestamp, instant: Instant) -> BTreeMap<String, Pace> {
        self.known.iter().map(|(name, known)| (name.clone(), known.lane.pace(now, instant))).collect()
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Known> {
        self.known.get_mut(name)
    }

    /// Something is due to `name`.
    pub(super) fn wake(&mut self, name: &str, due: Timestamp) {
        if let Some(known) = self.known.get_mut(name) {
            known.next_due = Some(known.next_due.map_or(due, |known| known.min(due)));
        }
    }

    /// Nothing is due to `name` but what is heard of from now on: the store is asked, or it is disabled.
    pub(super) fn forget(&mut self, name: &str) {
        if let Some(known) = self.known.get_mut(name) {
            known.next_due = None;
        }
    }

    /// Whose turn it is, `most` deliveries together: one after the other, beginning behind the one that was served last.
    pub(super) fn turns(&mut self, mut most: u32, now: Timestamp, instant: Instant) -> Turns {
        let mut turns = Turns { now: Vec::new(), due: None, free: None };
        let behind = self
            .known
            .range::<String, _>((std::ops::Bound::Excluded(&self.served_last), std::ops::Bound::Unbounded));
        let before = self.known.range::<String, _>(..=&self.served_last);
        for (name, known) in behind.chain(before) {
            let Some(due) = known.next_due else { continue };
            if due > now && due <= known.latest(now) {
                turns.due = Some(turns.due.map_or(due, |known| known.min(due)));
                continue;
            }
            match known.lane.room(instant) {
                Room::Now(room) if most > 0 => {
                    let count = room.get().min(most).min(TURN);
                    most -= count;
                    turns.now.push((name.clone(), count));
                }
                Room::At(at) => turns.free = Some(turns.free.map_or(at, |known| known.min(at))),
                // The end of an attempt will be noticed.
                Room::Now(_) | Room::Full => {}
            }
        }
        if let Some((name, _)) = turns.now.last() {
            self.served_last.clone_from(name);
        }
        turns
    }
}
