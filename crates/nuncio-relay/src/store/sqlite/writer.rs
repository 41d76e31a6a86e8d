//! One thread that writes, so that steps that wait together share one commit to disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::StoreError;

use super::failure;
use super::files::Files;

/// How many steps share a commit at most: what comes later waits for the next.
const MAX_STEPS: usize = 1024;

/// The write-ahead log is carried over into the database when it has this many pages: 16 MiB.
const CHECKPOINT_PAGES: i32 = 4096;

/// Why a step does nothing.
pub(super) enum Refusal {
    /// The database says no. What the step changed is taken back.
    Sqlite(rusqlite::Error),
    /// The caller has to know something. The step has changed nothing.
    Told(StoreError),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The way to the thread.
pub(super) struct Writer(Sender<Box<dyn Step>>);

trait Step: Send {
    /// Does the work.
    fn run(&mut self, db: &Connection) -> Result<(), rusqlite::Error>;
    /// Tells what came of it.
    fn reply(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Pending<F, T> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    done: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Step for Pending<F, T>
where
    F: FnOnce(&Connection) -> Result<T, Refusal> + Send,
    T: Send,
{
    fn run(&mut self, db: &Connection) -> Result<(), rusqlite::Error> {
        let Some(work) = self.work.take() else { return Ok(()) };
        self.result = match work(db) {
            Ok(value) => Some(Ok(value)),
            Err(Refusal::Told(error)) => Some(Err(error)),
            Err(Refusal::Sqlite(error)) => return Err(error),
        };
        Ok(())
    }

    fn reply(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { result, done, .. } = *self;
        // Where nobody waits any more, what was done stays done.
        drop(done.send(outcome.and_then(|()| result.unwrap_or_else(|| Err(gone())))));
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(files: Arc<Files>) -> Result<Self, StoreError> {
        let (steps, inbox) = channel();
        let (full, wakes) = channel();
        let is_carried_over = Arc::new(AtomicBool::new(false));
        let thread = Thread {
            db: None,
            files: Arc::clone(&files),
            log_pages: Arc::default(),
            full,
            is_carried_over: Arc::clone(&is_carried_over),
        };
        spawn("nuncio-store", move || thread.run(&inbox))?;
        spawn("nuncio-checkpoint", move || carry_over(&files, &wakes, &is_carried_over))?;
        Ok(Self(steps))
    }

    /// Does `work` and answers when it is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, answer) = oneshot::channel();
        let step = Box::new(Pending { work: Some(work), result: None, done });
        self.0.send(step).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn gone() -> StoreError {
    StoreError::Unavailable("its thread has ended".to_owned())
}

struct Thread {
    db: Option<Connection>,
    files: Arc<Files>,
    log_pages: Arc<AtomicI32>,
    /// Told when the log is long.
    full: Sender<()>,
    /// Whether most of the log was carried over since it was asked for.
    is_carried_over: Arc<AtomicBool>,
}

impl Thread {
    fn run(mut self, inbox: &Receiver<Box<dyn Step>>) {
        while let Ok(first) = inbox.recv() {
            let steps = std::iter::once(first).chain(inbox.try_iter().take(MAX_STEPS - 1)).collect();
            if let Err(error) = self.commit(steps).and_then(|()| self.keep_log_short()) {
                self.recover(&error);
            }
        }
        // Nobody needs the store any more: the file alone is all of it then.
        self.files.close_readers();
        if let Some(db) = &self.db {
            drop(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        }
    }

    /// Does the steps in one transaction, and tells each only when all is on disk.
    fn commit(&mut self, mut steps: Vec<Box<dyn Step>>) -> Result<(), rusqlite::Error> {
        let mut outcomes = vec![Ok(()); steps.len()];
        let done = match self.connection() {
            Ok(()) => self.transact(&mut steps, &mut outcomes),
            Err(trouble) => Err(trouble),
        };
        let (told, result) = match done {
            Ok(()) => {
                steps.into_iter().zip(outcomes).for_each(|(step, outcome)| step.reply(outcome));
                return Ok(());
            }
            Err(Trouble::Sqlite(error)) => (failure(&error, self.files.path()), Err(error)),
            Err(Trouble::Told(told)) => (told, Ok(())),
        };
        steps.into_iter().for_each(|step| step.reply(Err(told.clone())));
        result
    }

    /// Sees to it that there is a connection.
    fn connection(&mut self) -> Result<(), Trouble> {
        if self.db.is_none() {
            let mut db = self.files.open_durable_writer().map_err(Trouble::Told)?;
            let length = Arc::clone(&self.log_pages);
            db.wal_hook(Some(move |_: &mut Wal, pages| {
                length.store(pages, Ordering::Relaxed);
                Ok(())
            }))?;
            self.db = Some(db);
        }
        Ok(())
    }

    fn transact(
        &self,
        steps: &mut [Box<dyn Step>],
        outcomes: &mut [Result<(), StoreError>],
    ) -> Result<(), Trouble> {
        let db = self.db.as_ref().ok_or_else(|| Trouble::Told(gone()))?;
        let run = |sql| db.prepare_cached(sql)?.execute([]).map(drop);
        run("BEGIN IMMEDIATE")?;
        let mut work = || {
            for (step, outcome) in steps.iter_mut().zip(outcomes.iter_mut()) {
                run("SAVEPOINT step")?;
                if let Err(error) = step.run(db) {
                    // A full or failing disk ends the transaction, and with it what the others did.
                    if db.is_autocommit() {
                        return Err(error);
                    }
                    run("ROLLBACK TO step")?;
                    *outcome = Err(failure(&error, self.files.path()));
                }
                run("RELEASE step")?;
            }
            run("COMMIT")
        };
        let done = work();
        if done.is_err() && !db.is_autocommit() {
            drop(run("ROLLBACK"));
        }
        Ok(done?)
    }

    /// The bulk of the log is carried over by another thread. What came meanwhile is little, and then the next commit begins the log anew.
    fn keep_log_short(&self) -> Result<(), rusqlite::Error> {
        if self.is_carried_over.swap(false, Ordering::Acquire)
            && let Some(db) = &self.db
        {
            return db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
        if self.log_pages.load(Ordering::Relaxed) >= CHECKPOINT_PAGES {
            // Without the other thread the log only grows longer.
            let _ = self.full.send(());
        }
        Ok(())
    }

    /// After a failure of the disk, pages that the system counts as written may never have been. Nobody goes on by what was known before: all
    /// connections are closed without a checkpoint, and the log is made durable and read anew from its beginning.
    fn recover(&mut self, error: &rusqlite::Error) {
        let is_trustworthy = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        );
        tracing::error!(store = %self.files.path().display(), %error, "the disk or the database failed");
        if !is_trustworthy {
            self.db = None;
            self.files.close_readers();
        }
    }
}

enum Trouble {
    Sqlite(rusqlite::Error),
    Told(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Carries the log over into the database while the writer goes on.
fn carry_over(files: &Files, wakes: &Receiver<()>, is_carried_over: &AtomicBool) {
    while wakes.recv().is_ok() {
        let done = files.read(|db| db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())));
        // What was asked for meanwhile is done.
        while wakes.try_recv().is_ok() {}
        match done {
            Ok(()) => is_carried_over.store(true, Ordering::Release),
            // It is asked for again with the next commit.
            Err(error) => {
                tracing::warn!(store = %files.path().display(), %error, "the log was not carried over");
            }
        }
    }
}
