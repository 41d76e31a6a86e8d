//! Somebody's turn to work at a run, and the steps that he writes while it lasts.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use nuncio_client::{Clock, Random};
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use crate::directory::Directory;
use crate::dispatch;
use crate::notice::Notice;
use crate::store::{Advance, Append, KeptSchedule, Store, StoreError};
use crate::{Event, EventId, Headers, Origin, clock};

use super::state::Run;

/// How long to wait when the store cannot be used.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// What all schedules work with.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) store: Arc<dyn Store>,
    pub(super) directory: watch::Receiver<Arc<Directory>>,
    pub(super) dispatcher: dispatch::Handle,
    pub(super) clock: Clock,
    pub(super) random: Random,
}

/// Somebody's turn to work at a run.
pub(super) struct Turn {
    pub(super) means: Means,
    pub(super) name: String,
    pub(super) fence: u64,
    kept: Mutex<KeptSchedule>,
}

/// The turn is over: somebody else has taken the run over, or the schedule is gone.
#[derive(Debug)]
pub(super) struct Lost;

/// What becomes an event.
pub(super) struct Made {
    pub(super) event_type: String,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
}

impl Means {
    pub(super) fn now(&self) -> Timestamp {
        clock::now(&self.clock)
    }

    /// With whom it is owed to.
    fn append(&self, event: Event) -> Append {
        let directory = Arc::clone(&self.directory.borrow());
        let owed = directory.owed(&event, self.dispatcher.now());
        Append { event, unique: None, owed }
    }

    /// One step of a schedule. What is kept is known to the caller then.
    pub(super) async fn advance(
        &self,
        name: &str,
        kept: &mut KeptSchedule,
        events: Vec<Append>,
    ) -> Result<bool, StoreError> {
        let due: Vec<_> =
            events.iter().flat_map(|append| &append.owed).map(|owed| owed.endpoint.clone()).collect();
        let step = Advance { name: name.to_owned(), kept: kept.clone(), events };
        if !self.store.advance(step).await? {
            return Ok(false);
        }
        kept.revision += 1;
        let now = self.dispatcher.now();
        due.iter().for_each(|endpoint| self.dispatcher.wake(endpoint, now));
        Ok(true)
    }
}

impl Turn {
    pub(super) fn new(means: Means, name: String, fence: u64, kept: KeptSchedule) -> Self {
        Self { means, name, fence, kept: Mutex::new(kept) }
    }

    /// The run as it is now.
    pub(super) async fn run(&self) -> Result<Run, Lost> {
        self.kept.lock().await.state.run_of(self.fence).cloned().ok_or(Lost)
    }

    /// Writes a step of the run, and stores with it what was made. Waits while the store cannot be used.
    pub(super) async fn step(&self, made: Vec<Made>, change: impl Fn(&mut Run)) -> Result<(), Lost> {
        let events: Vec<_> = made.into_iter().map(|made| self.event(made)).collect();
        self.write(events, |kept| {
            let run = kept.state.run_of(self.fence).ok_or(Lost)?;
            run.beat += 1;
            change(run);
            Ok(())
        })
        .await
    }

    /// Ends the run. That it failed is told.
    pub(super) async fn end(&self, outcome: Result<(), String>) -> Result<(), Lost> {
        let now = self.means.now();
        let run = self.run().await?;
        let notice = outcome.as_ref().err().map(|reason| Notice::ScheduleFailed {
            schedule: self.name.clone(),
            due: run.due,
            events: run.events,
            reason: reason.clone(),
        });
        let told = notice.map(|notice| self.means.append(notice.event(now, &self.means.random)));
        self.write(told.into_iter().collect(), |kept| {
            kept.state.run_of(self.fence).ok_or(Lost)?;
            kept.state.end(outcome.clone(), now);
            Ok(())
        })
        .await
    }

    fn event(&self, made: Made) -> Append {
        let now = self.means.now();
        let Made { event_type, headers, body } = made;
        let id = EventId::new(now, &self.means.random);
        self.means.append(Event {
            id,
            origin: Origin::Schedule(self.name.clone()),
            event_type,
            at: now,
            headers,
            body,
        })
    }

    /// A step upon what is kept now: what others changed meanwhile (that it is paused, say) stays so.
    async fn write(
        &self,
        events: Vec<Append>,
        change: impl Fn(&mut KeptSchedule) -> Result<(), Lost>,
    ) -> Result<(), Lost> {
        let mut kept = self.kept.lock().await;
        loop {
            let mut next = kept.clone();
            change(&mut next)?;
            match self.means.advance(&self.name, &mut next, events.clone()).await {
                Ok(true) => {
                    *kept = next;
                    return Ok(());
                }
                Ok(false) => {
                    self.read(&mut kept).await?;
                    // An answer that was lost: the step was done. Others change what is owed, but neither the run nor how runs ended.
                    if kept.state.run == next.state.run && kept.state.ended == next.state.ended {
                        return Ok(());
                    }
                }
                Err(error) => {
                    tracing::error!(schedule = self.name, %error, "a run does not get on");
                    sleep(STORE_RETRY).await;
                }
            }
        }
    }

    async fn read(&self, kept: &mut KeptSchedule) -> Result<(), Lost> {
        loop {
            match self.means.store.schedules().await {
                Ok(mut all) => {
                    *kept = all.remove(&self.name).ok_or(Lost)?;
                    return Ok(());
                }
                Err(error) => {
                    tracing::error!(schedule = self.name, %error, "a run does not get on");
                    sleep(STORE_RETRY).await;
                }
            }
        }
    }
}
