//! The loop of the dispatcher.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use nuncio_client::Random;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::Attempt;
use crate::clock;
use crate::outcome::{Fault, Outcome};
use crate::progress::Journal;
use crate::store::{
    Append, HealthChange, LeaseRequest, Leased, Leases, Settled, Settlement, StoreError, Then,
};

use super::lanes::Lanes;
use super::verdict::{Case, Now, Verdict, later};
use super::{Dispatcher, Pending};

/// How long to wait when the store cannot be used.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// Writes down what came of an attempt, and says to whom something is due then.
type Settling = BoxFuture<'static, Vec<(String, Timestamp)>>;

/// What was asked for, and what was given.
type Leasing = (Vec<LeaseRequest>, Result<Vec<Leases>, StoreError>);

/// What is under way.
struct Work {
    lanes: Lanes,
    attempts: JoinSet<(Outcome, Duration)>,
    begun: BTreeMap<Id, Begun>,
    leasing: Option<BoxFuture<'static, Leasing>>,
    settling: FuturesUnordered<Settling>,
    asking: Option<BoxFuture<'static, Result<Vec<crate::store::EndpointStatus>, StoreError>>>,
    ask_at: Instant,
    is_stopping: bool,
}

/// An attempt that is under way.
struct Begun {
    endpoint: String,
    leased: Leased,
    at: Timestamp,
    instant: Instant,
    until: Timestamp,
}

impl Dispatcher {
    /// Delivers until [`Handle::stop`](super::Handle::stop). Dropping the future gives up what is under way, which is due again when its leases
    /// end.
    pub async fn run(mut self) {
        let mut work = Work {
            lanes: Lanes::default(),
            attempts: JoinSet::new(),
            begun: BTreeMap::new(),
            leasing: None,
            settling: FuturesUnordered::new(),
            asking: None,
            ask_at: Instant::now(),
            is_stopping: false,
        };
        work.lanes.set(&self.directory.borrow_and_update(), Instant::now());
        let calls = Arc::clone(&self.calls);
        let mut stop_at = None;
        loop {
            let Pending { due, asking, is_stopping } = calls.take();
            due.iter().for_each(|(endpoint, due)| work.lanes.wake(endpoint, *due));
            for asking in asking {
                // Whoever asked may be gone.
                let _ = asking.send(work.lanes.paces(clock::now(&self.clock), Instant::now()));
            }
            if is_stopping && !work.is_stopping {
                work.is_stopping = true;
                stop_at = Some(Instant::now() + self.settings.grace);
            }
            if work.is_idle() || stop_at.is_some_and(|at| Instant::now() >= at) {
                return;
            }
            let wake_at =
                self.begin(&mut work).min(stop_at.unwrap_or_else(|| Instant::now() + self.settings.poll));
            tokio::select! {
                biased;
                Some(ended) = work.attempts.join_next_with_id() => self.end(&mut work, ended),
                Some(due) = work.settling.next() => due.iter().for_each(|(name, due)| work.lanes.wake(name, *due)),
                (requests, leases) = next(&mut work.leasing) => self.take(&mut work, requests, leases),
                statuses = next(&mut work.asking) => match statuses {
                    Ok(statuses) => work.lanes.learn(statuses),
                    Err(error) => {
                        tracing::error!(%error, "nobody knows what is due");
                        work.ask_at = Instant::now() + STORE_RETRY;
                    }
                },
                changed = self.directory.changed(), if !work.is_stopping => match changed {
                    Ok(()) => {
                        work.lanes.set(&self.directory.borrow_and_update(), Instant::now());
                        work.ask_at = Instant::now();
                    }
                    // Whoever made the settings is gone: nothing more is to be done.
                    Err(_) => self.handle().stop(),
                },
                () = calls.notify.notified() => {}
                () = sleep_until(wake_at) => {}
            }
        }
    }

    /// Begins what can be begun now, and says when to look again if nothing happens.
    fn begin(&self, work: &mut Work) -> Instant {
        let now = Instant::now();
        if work.is_stopping {
            return now + self.settings.grace;
        }
        if work.asking.is_none() && now >= work.ask_at {
            let store = Arc::clone(&self.store);
            work.asking = Some(Box::pin(async move { store.endpoints().await }));
            work.ask_at = now + self.settings.poll;
        }
        let mut wake_at = work.ask_at.max(now + Duration::from_millis(1));
        if work.leasing.is_some() {
            return wake_at;
        }
        let due_now = self.handle().now();
        let under_way = u32::try_from(work.attempts.len()).unwrap_or(u32::MAX);
        let turns = work.lanes.turns(self.settings.concurrency.get().saturating_sub(under_way), due_now, now);
        if let Some(due) = turns.due {
            let wait = Duration::try_from(due.duration_since(due_now)).unwrap_or_default();
            wake_at = wake_at.min(now + wait);
        }
        if let Some(free) = turns.free {
            wake_at = wake_at.min(free);
        }
        let requests: Vec<_> = turns
            .now
            .into_iter()
            .filter_map(|(name, limit)| self.request(work, name, limit, due_now))
            .collect();
        if !requests.is_empty() {
            let store = Arc::clone(&self.store);
            work.leasing = Some(Box::pin(async move {
                let leases = store.lease(requests.clone()).await;
                if leases.is_err() {
                    sleep(STORE_RETRY).await;
                }
                (requests, leases)
            }));
        }
        wake_at
    }

    fn request(&self, work: &mut Work, name: String, limit: u32, now: Timestamp) -> Option<LeaseRequest> {
        let known = work.lanes.get_mut(&name)?;
        let (timeout, latest) = (known.endpoint.settings.delivery.timeout.0, known.latest(now));
        work.lanes.forget(&name);
        Some(LeaseRequest {
            endpoint: name,
            now,
            until: later(now, timeout + self.settings.lease_margin),
            latest,
            limit,
        })
    }

    /// Begins an attempt for each lease.
    fn take(&self, work: &mut Work, requests: Vec<LeaseRequest>, leases: Result<Vec<Leases>, StoreError>) {
        let leases = match leases {
            Ok(leases) => leases,
            Err(error) => {
                tracing::error!(%error, "nothing was leased");
                work.ask_at = Instant::now();
                return;
            }
        };
        for (request, leases) in requests.into_iter().zip(leases) {
            if let Some(due) = leases.next_due {
                work.lanes.wake(&request.endpoint, due);
            }
            if work.is_stopping {
                leases
                    .taken
                    .into_iter()
                    .for_each(|leased| work.settling.push(self.give_back(&request, &leased)));
                continue;
            }
            let Some(known) = work.lanes.get_mut(&request.endpoint) else { continue };
            for leased in leases.taken {
                known.lane.begin(Instant::now());
                let journal = Journal::new(Arc::clone(&self.store), leased.lease);
                let attempt = self.deliver.deliver(
                    &request.endpoint,
                    Arc::clone(&known.endpoint),
                    leased.clone(),
                    journal,
                );
                let timeout = known.endpoint.settings.delivery.timeout.0;
                let begun = Begun {
                    endpoint: request.endpoint.clone(),
                    leased,
                    at: clock::now(&self.clock),
                    instant: Instant::now(),
                    until: request.until,
                };
                let task = work.attempts.spawn(async move {
                    let began = Instant::now();
                    let outcome = tokio::time::timeout(timeout, attempt).await.unwrap_or_else(|_| {
                        Outcome::failed(
                            Fault::Unavailable,
                            format!("no answer in {} s", timeout.as_secs_f32()),
                        )
                    });
                    (outcome, began.elapsed())
                });
                work.begun.insert(task.id(), begun);
            }
        }
    }

    /// Settles an attempt that has ended.
    fn end(&self, work: &mut Work, ended: Result<(Id, (Outcome, Duration)), JoinError>) {
        let (id, outcome, took) = match ended {
            Ok((id, (outcome, took))) => (id, outcome, took),
            Err(error) => {
                let outcome = Outcome::failed(Fault::Refused, format!("the attempt broke off: {error}"));
                (error.id(), outcome, Duration::ZERO)
            }
        };
        let Some(begun) = work.begun.remove(&id) else { return };
        // An endpoint that is gone is owed nothing any more.
        let Some(known) = work.lanes.get_mut(&begun.endpoint) else { return };
        let now =
            Now { due: self.handle().now(), age: clock::now(&self.age), shown: clock::now(&self.clock) };
        let turn = known.lane.end(&outcome, begun.instant, Instant::now(), &self.random);
        let case = Case {
            endpoint: &begun.endpoint,
            delivery: &known.endpoint.settings.delivery,
            leased: &begun.leased,
            outcome: &outcome,
            turn,
            failing_since: known.failing_since,
            now,
        };
        let verdict = case.decide(&self.random);
        match &verdict.health {
            Some(HealthChange::Failing(since)) => known.failing_since = Some(*since),
            Some(HealthChange::Recovered) => known.failing_since = None,
            Some(HealthChange::Disable { .. }) => work.lanes.forget(&begun.endpoint),
            Some(HealthChange::Enable) | None => {}
        }
        work.settling.push(self.settle(begun, outcome, took, verdict, now));
    }

    /// Writes down what came of an attempt, and says to whom something is due then.
    fn settle(&self, begun: Begun, outcome: Outcome, took: Duration, verdict: Verdict, now: Now) -> Settling {
        let attempt = Attempt {
            number: begun.leased.attempt,
            at: begun.at,
            took,
            status: outcome.status,
            step: outcome.step,
            error: outcome.result.err().map(|failure| failure.reason),
            excerpt: outcome.excerpt,
        };
        let tell =
            verdict.notices.iter().map(|notice| self.told(notice, now, &self.random)).collect::<Vec<_>>();
        let mut due: Vec<_> = tell
            .iter()
            .flat_map(|append| &append.owed)
            .map(|owed| (owed.endpoint.clone(), owed.due))
            .collect();
        let is_disabled = matches!(verdict.health, Some(HealthChange::Disable { .. }));
        if let Then::Retry(at) = verdict.then
            && !is_disabled
        {
            due.push((begun.endpoint.clone(), at));
        }
        let settlement = Settlement {
            lease: begun.leased.lease,
            now: now.due,
            attempt: Some(attempt),
            progress: outcome.progress,
            then: verdict.then,
            health: verdict.health,
            tell,
        };
        self.write_down(settlement, begun.endpoint, begun.until, due)
    }

    /// An attempt that does not begin any more.
    fn give_back(&self, request: &LeaseRequest, leased: &Leased) -> Settling {
        let settlement = Settlement {
            lease: leased.lease,
            now: request.now,
            attempt: None,
            progress: None,
            then: Then::Retry(request.now),
            health: None,
            tell: Vec::new(),
        };
        self.write_down(settlement, request.endpoint.clone(), request.until, Vec::new())
    }

    /// Settles as long as the lease lasts. After that somebody else has the delivery, and knows nothing of this attempt.
    fn write_down(
        &self,
        settlement: Settlement,
        endpoint: String,
        until: Timestamp,
        mut due: Vec<(String, Timestamp)>,
    ) -> Settling {
        let (store, handle) = (Arc::clone(&self.store), self.handle());
        Box::pin(async move {
            loop {
                match store.settle(settlement.clone()).await {
                    Ok(Settled::Done { next }) => {
                        due.extend(next.map(|at| (endpoint, at)));
                        return due;
                    }
                    Ok(Settled::Void) => {
                        tracing::warn!(delivery = %settlement.lease.delivery, "somebody else took this delivery over");
                        return Vec::new();
                    }
                    Err(error) => {
                        tracing::error!(%error, delivery = %settlement.lease.delivery, "an attempt is not written down");
                        if handle.now() >= until {
                            return vec![(endpoint, until)];
                        }
                        sleep(STORE_RETRY).await;
                    }
                }
            }
        })
    }

    fn told(&self, notice: &crate::notice::Notice, now: Now, random: &Random) -> Append {
        let event = notice.event(now.shown, random);
        let owed = self.directory.borrow().owed(&event, now.due);
        Append { event, unique: None, owed }
    }
}

impl Work {
    fn is_idle(&self) -> bool {
        self.is_stopping && self.attempts.is_empty() && self.settling.is_empty() && self.leasing.is_none()
    }
}

/// What comes of the future, if there is one, which is gone then.
async fn next<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    let Some(running) = future else { return std::future::pending().await };
    let value = running.await;
    *future = None;
    value
}
