//! What is kept of a schedule, and the steps it takes. Each is a pure function of what is kept, what is set up and the time.

use jiff::Timestamp;
use nuncio_client::pages::Checkpoint;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::progress::Begun;
use crate::settings::CatchUp;

use super::timing::Timing;

/// How many runs that have ended are kept.
pub const HISTORY: usize = 20;

/// How many missed times are caught up with at most.
pub const MAX_CATCH_UP: usize = 100;

/// How late a time may be noticed without having been missed, in seconds.
const TARDY_SECS: i64 = 60;

/// How many missed times are looked at one by one: of more, only the last count.
const MAX_LOOKED_AT: usize = 10_000;

/// How often a run is taken up again of which nothing was heard any more.
const MAX_TAKEN_UP: u32 = 5;

/// After how many failures at the same place a pull begins anew.
const MAX_FAILURES: u32 = 3;

/// What is kept of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Which times the others below are of.
    timing: String,
    /// Up to here all times are dealt with. It never goes back, so that no time comes twice.
    pub passed: Timestamp,
    /// Times that there will be a run for, the oldest first.
    pub owed: Vec<Timestamp>,
    /// The run that is under way.
    pub run: Option<Run>,
    /// What a failed pull has left to go on with.
    pub left: Option<Left>,
    /// The time that the last run was due which went well.
    pub since: Timestamp,
    /// Since when no time counts.
    pub paused_at: Option<Timestamp>,
    /// How many times were missed and not caught up with.
    pub missed: u64,
    /// How many times passed while a run was under way.
    pub overlapped: u64,
    /// How many runs began or were taken up.
    fence: u64,
    /// The last runs that ended, the newest first.
    pub ended: Vec<Ended>,
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What its calls are known by.
    pub id: String,
    /// The time that it is due.
    pub due: Timestamp,
    /// When the last run was due that went well.
    pub since: Timestamp,
    /// When it began.
    pub begun_at: Timestamp,
    /// How many events it made.
    pub events: u64,
    /// How many calls failed.
    pub failures: u64,
    /// How far it is.
    pub place: Option<Place>,
    /// Whether it goes on with what a failed one left.
    pub resumed: bool,
    /// What it does, so that only the same goes on.
    pub(super) work: Value,
    /// Of whoever works at it: a later one has taken over.
    pub(super) fence: u64,
    /// Rises while somebody works at it.
    pub(super) beat: u64,
    /// Whether whoever worked at it has stopped in good order.
    pub(super) is_free: bool,
    pub(super) taken_up: u32,
    /// Failures before it at the same place.
    pub(super) failures_before: u32,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Behind a page.
    Page(Checkpoint),
    /// Before an item.
    Item {
        /// Its number, from 0.
        next: u64,
        /// That its call began, if it is not known to have ended and may do harm twice.
        begun: Option<Begun>,
        /// SHA-256 of all items before it, so that only the same go on.
        digest: String,
    },
}

/// What a failed pull has left to go on with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Left {
    work: Value,
    due: Timestamp,
    since: Timestamp,
    checkpoint: Checkpoint,
    failures: u32,
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EndedRun")]
pub struct Ended {
    /// The time that it was due.
    #[schemars(with = "String")]
    pub due: Timestamp,
    /// When it began.
    #[schemars(with = "String")]
    pub begun_at: Timestamp,
    /// When it ended.
    #[schemars(with = "String")]
    pub ended_at: Timestamp,
    /// How many events it made.
    pub events: u64,
    /// How many calls failed.
    pub failures: u64,
    /// Whether it went on with what a failed one had left.
    pub resumed: bool,
    /// Why it failed; null when it went well.
    pub error: Option<String>,
}

impl State {
    /// What is kept of a schedule that is new now: no time before counts.
    #[must_use]
    pub fn new(timing: &Timing, now: Timestamp) -> Self {
        Self {
            timing: timing.text().to_owned(),
            passed: now,
            owed: Vec::new(),
            run: None,
            left: None,
            since: Timestamp::UNIX_EPOCH,
            paused_at: None,
            missed: 0,
            overlapped: 0,
            fence: 0,
            ended: Vec::new(),
        }
    }

    /// When it has to be looked at next, if nothing is done meanwhile.
    pub(super) fn next(&self, name: &str, timing: &Timing) -> Option<(Timestamp, Timestamp)> {
        if self.paused_at.is_some() {
            return None;
        }
        let due = timing.next_after(self.passed)?;
        Some((due, timing.begins(name, due)))
    }

    /// Deals with all times that have come.
    pub(super) fn pass(&mut self, name: &str, timing: &Timing, catch_up: CatchUp, now: Timestamp) {
        if self.timing != timing.text() {
            timing.text().clone_into(&mut self.timing);
            self.passed = self.passed.max(now);
        }
        let mut missed = Vec::new();
        let mut on_time = None;
        let mut looked_at = 0;
        while let Some((due, begins)) = self.next(name, timing).filter(|(_, begins)| *begins <= now) {
            self.passed = due;
            if now.as_second().saturating_sub(begins.as_second()) <= TARDY_SECS {
                // Of several that are noticed together the last is on time.
                missed.extend(on_time.replace(due));
            } else {
                missed.push(due);
            }
            looked_at += 1;
            if looked_at == MAX_LOOKED_AT {
                // A rhythm of a second and a stop of hours: what is older than the last minute is not told one by one.
                let recent = now.checked_sub(jiff::SignedDuration::from_secs(TARDY_SECS)).unwrap_or(now);
                self.passed = self.passed.max(recent);
            }
        }
        let caught_up = match catch_up {
            CatchUp::Skip => 0,
            CatchUp::Once => usize::from(on_time.is_none()),
            CatchUp::All => MAX_CATCH_UP,
        };
        let is_busy = self.run.is_some() || !self.owed.is_empty();
        if is_busy && catch_up != CatchUp::All {
            self.overlapped += (missed.len() + usize::from(on_time.is_some())) as u64;
            return;
        }
        let kept = missed.split_off(missed.len().saturating_sub(caught_up));
        self.missed += missed.len() as u64;
        self.owed.extend(kept);
        match on_time {
            Some(_) if is_busy => self.overlapped += 1,
            Some(due) => self.owed.push(due),
            None => {}
        }
        let surplus = self.owed.len().saturating_sub(MAX_CATCH_UP);
        self.missed += surplus as u64;
        self.owed.drain(..surplus);
    }

    /// Begins the run that is owed, if there is one and none is under way.
    pub(super) fn begin(&mut self, work: &Value, id: impl FnOnce() -> String, now: Timestamp) -> Option<u64> {
        let due = *self.owed.first().filter(|_| self.run.is_none())?;
        self.fence += 1;
        let left = self.left.take().filter(|left| left.work == *work);
        if left.is_none() {
            self.owed.remove(0);
        }
        let resumed = left.is_some();
        let (due, since, place, failures_before) = match left {
            Some(left) => (left.due, left.since, Some(Place::Page(left.checkpoint)), left.failures),
            None => (due, self.since, None, 0),
        };
        self.run = Some(Run {
            id: id(),
            due,
            since,
            begun_at: now,
            events: 0,
            failures: 0,
            place,
            resumed,
            work: work.clone(),
            fence: self.fence,
            beat: 0,
            is_free: false,
            taken_up: 0,
            failures_before,
        });
        Some(self.fence)
    }

    /// Takes the run up of which nothing is heard any more.
    pub(super) fn take_up(&mut self, work: &Value, now: Timestamp) -> Option<u64> {
        let run = self.run.as_mut()?;
        if run.work != *work {
            self.end(Err("its settings were changed while nobody worked at it".to_owned()), now);
            return None;
        }
        // One that was stopped in good order did not bring nuncio down.
        run.taken_up += u32::from(!run.is_free);
        if run.taken_up > MAX_TAKEN_UP {
            self.end(Err(format!("it was taken up {MAX_TAKEN_UP} times, and nuncio ended each time")), now);
            return None;
        }
        self.fence += 1;
        run.fence = self.fence;
        run.is_free = false;
        Some(self.fence)
    }

    /// The run, for whoever works at it.
    pub(super) fn run_of(&mut self, fence: u64) -> Option<&mut Run> {
        self.run.as_mut().filter(|run| run.fence == fence)
    }

    /// Ends the run.
    pub(super) fn end(&mut self, outcome: Result<(), String>, now: Timestamp) {
        let Some(run) = self.run.take() else { return };
        match &outcome {
            Ok(()) => self.since = self.since.max(run.due),
            Err(_) => {
                // Its own time was not taken off, and would be tried at once.
                if run.resumed && !self.owed.is_empty() {
                    self.owed.remove(0);
                }
                self.left = left(&run);
            }
        }
        let Run { due, begun_at, events, failures, resumed, .. } = run;
        let error = outcome.err();
        self.ended.insert(0, Ended { due, begun_at, ended_at: now, events, failures, resumed, error });
        self.ended.truncate(HISTORY);
    }

    /// From now on no time counts, until it is resumed. A run that is under way goes on.
    pub fn pause(&mut self, now: Timestamp) {
        self.missed += self.owed.len() as u64;
        self.owed.clear();
        self.paused_at.get_or_insert(now);
    }

    /// From now on times count again.
    pub fn resume(&mut self, now: Timestamp) {
        if self.paused_at.take().is_some() {
            self.passed = self.passed.max(now);
        }
    }

    /// Owes a run that is due now; `restart`: it does not go on with what a failed one left. Says whether there will be one: not while there is one.
    pub fn ask(&mut self, restart: bool, now: Timestamp) -> bool {
        if self.run.is_some() || !self.owed.is_empty() {
            return false;
        }
        if restart {
            self.left = None;
        }
        self.owed.push(now);
        true
    }
}

/// What a failed run leaves. One that failed at the same place too often leaves nothing: the service may not know the place any more.
fn left(run: &Run) -> Option<Left> {
    let Some(Place::Page(checkpoint)) = run.place.clone() else { return None };
    let failures = if run.events > 0 { 1 } else { run.failures_before + 1 };
    (failures < MAX_FAILURES).then(|| Left {
        work: run.work.clone(),
        due: run.due,
        since: run.since,
        checkpoint,
        failures,
    })
}
