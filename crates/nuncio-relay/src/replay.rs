//! Bulk replay: many deliveries made due again, at a rate, by a job that a restart goes on with.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nuncio_client::{Clock, Random};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::dispatch::Handle;
use crate::store::{Change, DeliveryQuery, Document, DocumentKind, From, Store, StoreError};
use crate::{State, clock};

/// How long to wait when the store cannot be used.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// Which deliveries are made due again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Those to this endpoint.
    pub endpoint: String,
    /// Those in this state. Default: dead letters.
    #[serde(default = "dead")]
    pub state: State,
    /// Those of events stored at this time or later. Default: from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub since: Option<Timestamp>,
    /// Those of events stored before this time. Default: up to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub until: Option<Timestamp>,
    /// How many a second. Default: 100.
    #[serde(default = "a_hundred")]
    pub per_second: NonZeroU32,
}

fn dead() -> State {
    State::Dead
}

fn a_hundred() -> NonZeroU32 {
    NonZeroU32::new(100).unwrap_or(NonZeroU32::MIN)
}

/// A job, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// What it does.
    pub selection: Selection,
    /// Deliveries up to this number were looked at.
    pub after: u64,
    /// How many were made due.
    pub count: u64,
    /// When it began.
    #[schemars(with = "String")]
    pub begun_at: Timestamp,
    /// When it ended, by itself or because it was cancelled.
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
}

/// Runs jobs of bulk replay. Copies share them; when the last copy is dropped, they stop.
#[derive(Clone)]
pub struct Replays(Arc<Jobs>);

struct Jobs {
    means: Arc<Means>,
    random: Random,
    running: Mutex<BTreeMap<String, AbortHandle>>,
}

/// What a job works with.
struct Means {
    store: Arc<dyn Store>,
    dispatcher: Handle,
    clock: Clock,
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.running.get_mut().unwrap_or_else(PoisonError::into_inner).values().for_each(AbortHandle::abort);
    }
}

impl Replays {
    /// The jobs in this store. Those that were under way go on when [`resume`](Self::resume) is called.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, dispatcher: Handle, clock: Clock, random: Random) -> Self {
        let means = Arc::new(Means { store, dispatcher, clock });
        Self(Arc::new(Jobs { means, random, running: Mutex::default() }))
    }

    /// Goes on with all jobs that have not ended.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    pub async fn resume(&self) -> Result<(), StoreError> {
        for (name, job) in self.list().await? {
            if job.ended_at.is_none() {
                self.spawn(name, job);
            }
        }
        Ok(())
    }

    /// Begins a job, and says its name. It is written down before this returns.
    ///
    /// # Errors
    /// [`StoreError`], and nothing has begun.
    pub async fn begin(&self, selection: Selection) -> Result<String, StoreError> {
        let now = clock::now(&self.0.means.clock);
        // What is stored while it runs is no part of it.
        let just_after = now.checked_add(SignedDuration::from_millis(1)).unwrap_or(now);
        let selection = Selection { until: Some(selection.until.unwrap_or(just_after)), ..selection };
        let job = Job { selection, after: 0, count: 0, begun_at: now, ended_at: None };
        let name = format!("replay-{}", self.0.random.uuid());
        self.0.means.store.change(vec![Change::Put(document(&name, &job))], None).await?;
        self.spawn(name.clone(), job);
        Ok(name)
    }

    /// Ends a job. What it has made due stays so.
    ///
    /// # Errors
    /// [`StoreError`], and it goes on after a restart.
    pub async fn cancel(&self, name: &str) -> Result<Option<Job>, StoreError> {
        if let Some(running) = self.running().remove(name) {
            running.abort();
        }
        let Some(mut job) = self.list().await?.remove(name) else { return Ok(None) };
        job.ended_at.get_or_insert(clock::now(&self.0.means.clock));
        self.0.means.store.change(vec![Change::Put(document(name, &job))], None).await?;
        Ok(Some(job))
    }

    /// All jobs, by name.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    pub async fn list(&self) -> Result<BTreeMap<String, Job>, StoreError> {
        let documents = self.0.means.store.documents().await?.all;
        let jobs = documents.into_iter().filter(|document| document.kind == DocumentKind::Job);
        Ok(jobs
            .filter_map(|document| Some((document.name, serde_json::from_value(document.value).ok()?)))
            .collect())
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, AbortHandle>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, name: String, mut job: Job) {
        let means = Arc::clone(&self.0.means);
        let own_name = name.clone();
        let task = tokio::spawn(async move {
            while job.ended_at.is_none() {
                match means.step(&name, &job).await {
                    Ok(next) => job = next,
                    Err(error) => {
                        tracing::error!(job = name, %error, "a replay does not get on");
                        sleep(STORE_RETRY).await;
                    }
                }
            }
        });
        self.running().insert(own_name, task.abort_handle());
    }
}

impl Means {
    /// Makes as many deliveries due as a tenth of a second may have, and waits for it to pass.
    async fn step(&self, name: &str, job: &Job) -> Result<Job, StoreError> {
        let limit = job.selection.per_second.get().div_ceil(10);
        let query = DeliveryQuery {
            endpoint: Some(job.selection.endpoint.clone()),
            state: Some(job.selection.state),
            since: job.selection.since,
            until: job.selection.until,
            from: From::After(job.after),
            limit,
            ..DeliveryQuery::default()
        };
        let page = self.store.deliveries(query).await?;
        let ids: Vec<_> = page.items.iter().map(|delivery| delivery.id).collect();
        let next = Job {
            after: ids.last().map_or(job.after, |last| last.0),
            count: job.count + ids.len() as u64,
            ended_at: page.next.is_none().then(|| clock::now(&self.clock)),
            ..job.clone()
        };
        let due = self.dispatcher.now();
        self.store.resend(ids, due, Some(document(name, &next))).await?;
        self.dispatcher.wake(&job.selection.endpoint, due);
        if next.ended_at.is_none() {
            sleep(Duration::from_secs(limit.into()) / job.selection.per_second.get()).await;
        }
        Ok(next)
    }
}

fn document(name: &str, job: &Job) -> Document {
    let value = serde_json::to_value(job).unwrap_or_default();
    Document { kind: DocumentKind::Job, name: name.to_owned(), from_file: false, value }
}

impl fmt::Debug for Replays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replays")
    }
}
