//! Looks at all schedules, and begins runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nuncio_client::{Clock, Random};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::deliver::Connect;
use crate::directory::Directory;
use crate::dispatch;
use crate::store::{KeptSchedule, Store, StoreError};

use super::Plan;
use super::state::State;
use super::turn::{Means, Turn};
use super::work::{BEAT, End, work};

/// Settings of a [`Scheduler`].
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How often schedules are looked at without having been told. Needed for what other processes do, and when clocks jump. Default: 10 s.
    pub poll: Duration,
    /// After how long a run of which nothing is heard is taken over, by the clock of whoever takes it. Whoever works at one is heard each 3 s.
    /// Default: 10 s.
    pub lease: Duration,
    /// How long runs that are under way may take to end, or to come to a place where they can go on, after [`Handle::stop`]. Default: 30 s.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { poll: Duration::from_secs(10), lease: Duration::from_secs(10), grace: Duration::from_secs(30) }
    }
}

/// Looks at all schedules, and begins runs, until it is stopped or dropped.
pub struct Scheduler {
    means: Means,
    connect: Connect,
    settings: Settings,
    handle: Handle,
    /// When each run of somebody else was heard of last, by its fence and beat.
    heard: BTreeMap<String, ((u64, u64), Instant)>,
    /// Schedules whose runs are under way here.
    ours: BTreeMap<String, tokio::task::Id>,
    runs: JoinSet<String>,
}

/// Tells a [`Scheduler`] what is new. Copies reach the same one.
#[derive(Debug, Clone, Default)]
pub struct Handle {
    notify: Arc<Notify>,
    stop: CancellationToken,
}

impl Handle {
    /// Somebody changed what is kept of a schedule.
    pub fn wake(&self) {
        self.notify.notify_one();
    }

    /// No run begins any more. [`Scheduler::run`] returns when those that are under way have ended or stopped, or their grace has ended.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

impl Scheduler {
    /// A scheduler that has not begun yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        directory: watch::Receiver<Arc<Directory>>,
        dispatcher: dispatch::Handle,
        connect: Connect,
        (clock, random): (Clock, Random),
        settings: Settings,
    ) -> Self {
        Self {
            means: Means { store, directory, dispatcher, clock, random },
            connect,
            settings,
            handle: Handle::default(),
            heard: BTreeMap::new(),
            ours: BTreeMap::new(),
            runs: JoinSet::new(),
        }
    }

    /// What it is told things by.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Begins runs until [`Handle::stop`]. Dropping the future cuts off those that are under way: they are taken up again.
    pub async fn run(mut self) {
        let Handle { notify, stop } = self.handle.clone();
        loop {
            let wake = match self.look().await {
                Ok(wake) => wake,
                Err(error) => {
                    tracing::error!(%error, "schedules cannot be looked at");
                    Instant::now() + self.settings.poll / 10
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep_until(wake) => {}
                () = notify.notified() => {}
                changed = self.means.directory.changed() => if changed.is_err() { break },
                Some(ended) = self.runs.join_next_with_id() => self.ended(&ended),
            }
        }
        let all = async { while self.runs.join_next().await.is_some() {} };
        drop(timeout(self.settings.grace, all).await);
    }

    fn ended(&mut self, ended: &Result<(tokio::task::Id, String), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        self.ours.retain(|_, ours| *ours != id);
    }

    /// Looks at all schedules, and says when to look again.
    async fn look(&mut self) -> Result<Instant, StoreError> {
        let directory = Arc::clone(&self.means.directory.borrow_and_update());
        let mut wake = Instant::now() + self.settings.poll;
        if directory.schedules.is_empty() {
            return Ok(wake);
        }
        let mut all = self.means.store.schedules().await?;
        for (name, plan) in &directory.schedules {
            let now = self.means.now();
            let kept = all.remove(name);
            let kept =
                kept.unwrap_or_else(|| KeptSchedule { revision: 0, state: State::new(&plan.timing, now) });
            match self.look_at(name, plan, kept, now).await? {
                Some(next) => wake = wake.min(next),
                // Another process did, or has removed it and we do not know yet.
                None => wake = wake.min(Instant::now() + self.settings.poll / 10),
            }
        }
        Ok(wake)
    }

    /// When to look at this one again; nothing if somebody else changed it meanwhile.
    async fn look_at(
        &mut self,
        name: &str,
        plan: &Arc<Plan>,
        kept: KeptSchedule,
        now: Timestamp,
    ) -> Result<Option<Instant>, StoreError> {
        let mut next = kept.clone();
        next.state.pass(name, &plan.timing, plan.catch_up, now);
        let fence = if self.is_silent(name, &next.state) {
            next.state.take_up(&plan.print, now)
        } else {
            next.state.begin(&plan.print, || self.means.random.uuid(), now)
        };
        if next != kept || kept.revision == 0 {
            if !self.means.advance(name, &mut next, Vec::new()).await? {
                return Ok(None);
            }
            if let Some(fence) = fence {
                self.spawn(name, plan, fence, next.clone());
            }
        }
        let begins = next.state.next(name, &plan.timing).map(|(_, begins)| begins);
        let wait = begins.and_then(|begins| Duration::try_from(begins.duration_since(now)).ok());
        let wait = wait.map_or(self.settings.poll, |wait| wait.min(self.settings.poll));
        // One that another process works at may end at any time, or be heard of no more.
        Ok(Some(Instant::now() + wait))
    }

    /// Whether nobody works at the run that is under way.
    fn is_silent(&mut self, name: &str, state: &State) -> bool {
        let Some(run) = &state.run else {
            self.heard.remove(name);
            return false;
        };
        if self.ours.contains_key(name) {
            return false;
        }
        if run.is_free {
            return true;
        }
        let beat = (run.fence, run.beat);
        let (heard, since) = self.heard.entry(name.to_owned()).or_insert((beat, Instant::now()));
        if *heard != beat {
            (*heard, *since) = (beat, Instant::now());
        }
        since.elapsed() >= self.settings.lease
    }

    fn spawn(&mut self, name: &str, plan: &Arc<Plan>, fence: u64, kept: KeptSchedule) {
        self.heard.remove(name);
        let turn = Turn::new(self.means.clone(), name.to_owned(), fence, kept);
        let (plan, connect, stop) = (Arc::clone(plan), Arc::clone(&self.connect), self.handle.stop.clone());
        let name = name.to_owned();
        let own_name = name.clone();
        let task = self.runs.spawn(async move {
            run(&turn, &plan, &connect, &stop).await;
            own_name
        });
        self.ours.insert(name, task.id());
    }
}

/// Works at a run until it ends, and is heard meanwhile.
async fn run(turn: &Turn, plan: &Plan, connect: &Connect, stop: &CancellationToken) {
    let beat = async {
        loop {
            sleep(BEAT).await;
            if turn.step(Vec::new(), |_| ()).await.is_err() {
                return;
            }
        }
    };
    let end = tokio::select! {
        () = beat => End::Lost,
        end = timeout(plan.timeout, work(turn, plan, connect, stop)) => end.unwrap_or_else(|_| {
            End::Failed(format!("it took longer than {:?}", plan.timeout))
        }),
    };
    let written = match end {
        End::Lost => return tracing::warn!(schedule = turn.name, "somebody else goes on with the run"),
        End::Stopped => turn.step(Vec::new(), |run| run.is_free = true).await,
        End::Done => turn.end(Ok(())).await,
        End::Failed(reason) => {
            tracing::warn!(schedule = turn.name, reason, "a run failed");
            turn.end(Err(reason)).await
        }
    };
    if written.is_err() {
        tracing::warn!(schedule = turn.name, "somebody else goes on with the run");
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").field("settings", &self.settings).finish_non_exhaustive()
    }
}
