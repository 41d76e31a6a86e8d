//! Which events were shown when they came.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nuncio_gateway::Tried;
use nuncio_relay::EventId;

/// How many are remembered.
const REMEMBERED: usize = 10_000;

/// Which events were shown when they came, and what was tried before that: the target may answer sooner than the provider is answered.
pub(super) struct Announced {
    begun: Timestamp,
    shown: BTreeSet<EventId>,
    early: BTreeMap<EventId, Vec<Tried>>,
}

impl Announced {
    pub(super) fn since(begun: Timestamp) -> Self {
        Self { begun, shown: BTreeSet::new(), early: BTreeMap::new() }
    }

    /// The event is shown; what was tried before is due to be.
    pub(super) fn shown(&mut self, id: EventId) -> Vec<Tried> {
        self.shown.insert(id);
        if self.shown.len() > REMEMBERED {
            self.shown.pop_first();
        }
        self.early.remove(&id).unwrap_or_default()
    }

    /// The attempt, unless it has to wait for its event to be shown.
    pub(super) fn in_turn(&mut self, tried: Tried) -> Option<Tried> {
        let id = tried.event.id;
        let is_of_this_run = tried.event.at >= self.begun;
        let is_forgotten =
            self.shown.len() == REMEMBERED && self.shown.first().is_some_and(|first| id < *first);
        if !is_of_this_run || is_forgotten || self.shown.contains(&id) {
            return Some(tried);
        }
        self.early.entry(id).or_default().push(tried);
        None
    }
}
