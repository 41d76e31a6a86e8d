//! Brings results, failures and notes to disk, many at a time.
//!
//! One thread writes whatever has gathered while it was waiting for the disk, so that the price of a flush is shared by all calls
//! under way.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::{Error, files};

use super::journal::{Journal, Lengths, Note, Outcome, Past};
use super::{Ended, Options};

/// Bound on what is written at a time.
const MAX_BATCH: usize = 1024;

/// How long what no call waits for waits for more, so that a disk is not asked to flush for each call: 10 ms.
const GATHERING: Duration = Duration::from_millis(10);

/// The same while a call waits: half a millisecond.
const GATHERING_IN_HASTE: Duration = Duration::from_micros(500);

/// The writer is gone; [`Writer::close`] tells why.
pub(super) struct Gone;

pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
    under_way: Arc<AtomicUsize>,
}

/// A call that may have something to write.
pub(super) struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

enum Job {
    Begun { index: u64, item: u64, at: Duration, urgent: bool, safe: oneshot::Sender<()> },
    Settled { index: u64, item: u64, ended: Ended, line: Vec<u8> },
}

/// Tells of the items whose results are on disk.
pub(super) type Settled = UnboundedReceiver<Vec<Ended>>;

impl Writer {
    /// Opens the files of a run, and says what earlier runs left in them.
    pub(super) fn open(options: &Options) -> Result<(Self, Past, Settled), Error> {
        three_files(options)?;
        let mut journal = Journal::open(&options.journal, options.restart)?;
        let mut past = match journal.read(&options.call)? {
            Some(past) => past,
            None => {
                if !options.restart {
                    must_be_empty(&options.results)?;
                    must_be_empty(&options.failures)?;
                }
                journal.begin(&options.call)?
            }
        };
        let reopened: Vec<u64> = past
            .items
            .iter()
            .filter(|(_, known)| match known.outcome {
                Some(Outcome::Failed) => options.retry_failed,
                Some(Outcome::Unknown) => options.retry_unknown,
                Some(Outcome::Ok) | None => false,
            })
            .map(|(index, _)| *index)
            .collect();
        journal.reopen(&mut past, &reopened)?;
        if past.untrimmed {
            trim(&options.failures, &mut journal, &mut past)?;
        }
        let results = Output::open(&options.results, past.lengths.results)?;
        let failures = Output::open(&options.failures, past.lengths.failures)?;
        let under_way = Arc::default();
        let (tell, settled) = unbounded_channel();
        let files = Files { under_way: Arc::clone(&under_way), settled: tell, journal, results, failures };
        let (jobs, inbox) = mpsc::channel();
        let thread = std::thread::spawn(move || files.serve(&inbox));
        Ok((Self { jobs: Some(jobs), thread: Some(thread), under_way }, past, settled))
    }

    /// Returns once it is on disk that a call is about to be made, `at` this time since 1970. It is `urgent` if the call has its turn.
    pub(super) async fn begin(&self, index: u64, item: u64, at: Duration, urgent: bool) -> Result<(), Gone> {
        let (safe, is_safe) = oneshot::channel();
        self.send(Job::Begun { index, item, at, urgent, safe })?;
        is_safe.await.map_err(|_| Gone)
    }

    /// Has the line of an item and a note of it brought to disk, which [`Settled`] tells. A call that ended does not wait for it: until
    /// then its fate is unknown to a later run, which is what its beginning says.
    pub(super) fn settle(&self, index: u64, item: u64, ended: Ended, line: Vec<u8>) -> Result<(), Gone> {
        self.send(Job::Settled { index, item, ended, line })
    }

    /// Waits until all is written.
    pub(super) fn close(mut self) -> Result<(), Error> {
        self.join()
    }

    /// Counts a call, until what is returned is dropped.
    pub(super) fn enter(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.under_way)
    }

    fn send(&self, job: Job) -> Result<(), Gone> {
        self.jobs.as_ref().ok_or(Gone)?.send(job).map_err(|_| Gone)
    }

    fn join(&mut self) -> Result<(), Error> {
        drop(self.jobs.take());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Writer {
    /// The lock on the journal is free when this returns.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(self.jobs.take());
            let _ = thread.join();
        }
    }
}

struct Files {
    under_way: Arc<AtomicUsize>,
    settled: UnboundedSender<Vec<Ended>>,
    journal: Journal,
    results: Output,
    failures: Output,
}

impl Files {
    fn serve(mut self, inbox: &mpsc::Receiver<Job>) -> Result<(), Error> {
        while let Ok(first) = inbox.recv() {
            let jobs = self.gather(first, inbox);
            let (begun, settled) = self.write(jobs)?;
            for safe in begun {
                // Whoever was dropped meanwhile does not want to know.
                let _ = safe.send(());
            }
            if !settled.is_empty() {
                let _ = self.settled.send(settled);
            }
        }
        Ok(())
    }

    /// The jobs that share a flush with `first`.
    #[expect(clippy::disallowed_methods, reason = "a thread of its own, which has nothing else to do")]
    fn gather(&self, first: Job, inbox: &mpsc::Receiver<Job>) -> Vec<Job> {
        let mut jobs = vec![first];
        let take = |jobs: &mut Vec<Job>| jobs.extend(inbox.try_iter().take(MAX_BATCH - jobs.len()));
        take(&mut jobs);
        let waiting = jobs.iter().filter(|job| matches!(job, Job::Begun { urgent: true, .. })).count();
        // When all calls under way wait for it, nothing more is to come.
        if waiting < self.under_way.load(Ordering::Relaxed) {
            std::thread::sleep(if waiting > 0 { GATHERING_IN_HASTE } else { GATHERING });
            take(&mut jobs);
        }
        jobs
    }

    /// The order is the point: the journal must never tell of a line that is not there.
    fn write(&mut self, jobs: Vec<Job>) -> Result<(Vec<oneshot::Sender<()>>, Vec<Ended>), Error> {
        let (mut begun, mut settled) = (Vec::new(), Vec::new());
        let mut notes = Vec::with_capacity(jobs.len());
        for job in jobs {
            notes.push(match job {
                Job::Begun { index, item, at, safe, .. } => {
                    begun.push(safe);
                    Note::Begun { index, item, at_epoch_secs: at.as_secs() }
                }
                Job::Settled { index, item, ended, line } => {
                    settled.push(ended);
                    let Ended { outcome, .. } = ended;
                    match outcome {
                        Outcome::Ok => &mut self.results,
                        Outcome::Failed | Outcome::Unknown => &mut self.failures,
                    }
                    .push(&line);
                    Note::Settled { index, item, outcome, lengths: self.lengths() }
                }
            });
        }
        self.results.flush()?;
        self.failures.flush()?;
        self.journal.append(&notes)?;
        Ok((begun, settled))
    }

    fn lengths(&self) -> Lengths {
        Lengths { results: self.results.length, failures: self.failures.length }
    }
}

/// A file of lines.
struct Output {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    /// With what is in the buffer.
    length: u64,
}

impl Output {
    fn open(path: &Path, length: u64) -> Result<Self, Error> {
        let mut file = files::open_alone(path)?;
        files::cut(&mut file, length, path)?;
        Ok(Self { file, path: path.to_owned(), buffer: Vec::new(), length })
    }

    fn push(&mut self, line: &[u8]) {
        self.buffer.extend_from_slice(line);
        self.length += line.len() as u64;
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file
            .write_all(&self.buffer)
            .and_then(|()| self.file.sync_data())
            .map_err(Error::file("write", &self.path))?;
        self.buffer.clear();
        Ok(())
    }
}

/// Leaves only the failures that still stand in the file. It may be cut short by a crash and done again: it is shorter then than the
/// journal tells.
fn trim(path: &Path, journal: &mut Journal, past: &mut Past) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Line {
        index: u64,
    }
    let mut text = std::fs::read(path).map_err(Error::file("read", path))?;
    text.truncate(usize::try_from(past.lengths.failures).unwrap_or(usize::MAX));
    let stands = |line: &&[u8]| {
        let known = serde_json::from_slice(line).ok().and_then(|Line { index }| past.items.get(&index));
        known.is_some_and(|known| known.outcome.is_some_and(|outcome| outcome != Outcome::Ok))
    };
    let kept: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').filter(stands).collect();
    let kept = kept.concat();
    files::replace(path, &kept)?;
    journal.trimmed(past, Lengths { failures: kept.len() as u64, ..past.lengths })
}

fn three_files(options: &Options) -> Result<(), Error> {
    let Options { results, failures, journal, .. } = options;
    if results != failures && failures != journal && journal != results {
        return Ok(());
    }
    let problem = "results, failures and journal need a file each".to_owned();
    Err(Error::Options { problem })
}

fn must_be_empty(path: &Path) -> Result<(), Error> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > 0 => {
            let problem = "is there already, and no journal tells how to go on with it: start anew, or write to another file";
            Err(Error::state(path, problem))
        }
        _ => Ok(()),
    }
}
