//! What happened to which item, on disk.
//!
//! The journal only grows. Its last line may be torn; all before it is whole, and so are the results and failures up to the
//! lengths that it tells.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::time::Duration;

use nuncio_client::{Random, Redactor};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, files};

/// Of the file's shape. A file of another version is refused.
const VERSION: u32 = 1;

/// Bound on a line of the journal, which holds no foreign data but the name of the call.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Note {
    /// The first line. All idempotency keys come from `run`.
    Run { version: u32, call: String, run: String },
    /// A call of which a second copy may do harm is about to be made.
    Begun { index: u64, item: u64, at_epoch_secs: u64 },
    /// An item has its result or failure, and the files have these lengths.
    Settled { index: u64, item: u64, outcome: Outcome, lengths: Lengths },
    /// An item is to be tried again; its failure is taken back.
    Reopened { index: u64 },
    /// The failures that were taken back are out of the file.
    Trimmed { lengths: Lengths },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Ok,
    Failed,
    Unknown,
}

/// Bytes of the files of results and failures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lengths {
    pub(super) results: u64,
    pub(super) failures: u64,
}

/// What the journal knows of an item.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) item: u64,
    /// Nothing while it was only begun, or is to be tried again.
    pub(super) outcome: Option<Outcome>,
    /// When a call was begun that was under way when the run ended, as time since 1970.
    pub(super) in_flight: Option<Duration>,
    /// How often it was tried again after a failure.
    round: u32,
}

/// The journal, read.
#[derive(Debug)]
pub(super) struct Past {
    run: String,
    pub(super) items: HashMap<u64, Known>,
    pub(super) lengths: Lengths,
    /// Whether failures were taken back that may still be in the file.
    pub(super) untrimmed: bool,
}

impl Past {
    fn new(run: String) -> Self {
        Self { run, items: HashMap::new(), lengths: Lengths::default(), untrimmed: false }
    }

    /// The same in every run until the call is known to have failed: then a new one is due, for a service may answer the old one
    /// with the old failure. A UUID of version 8 (RFC 9562, section 5.8).
    pub(super) fn key(&self, index: u64) -> String {
        let round = self.items.get(&index).map_or(0, |known| known.round);
        let digest = Sha256::digest(format!("{} {index} {round}", self.run));
        nuncio_client::uuid(8, *digest.first_chunk().expect("it is longer"))
    }

    fn apply(&mut self, note: &Note) {
        match *note {
            Note::Run { .. } => {}
            Note::Begun { index, item, at_epoch_secs } => {
                self.known(index, item).in_flight = Some(Duration::from_secs(at_epoch_secs));
            }
            Note::Settled { index, item, outcome, lengths } => {
                let known = self.known(index, item);
                known.outcome = Some(outcome);
                known.in_flight = None;
                self.lengths = lengths;
            }
            Note::Reopened { index } => {
                if let Some(known) = self.items.get_mut(&index) {
                    known.round += u32::from(known.outcome == Some(Outcome::Failed));
                    known.outcome = None;
                    self.untrimmed = true;
                }
            }
            Note::Trimmed { lengths } => {
                self.lengths = lengths;
                self.untrimmed = false;
            }
        }
    }

    fn known(&mut self, index: u64, item: u64) -> &mut Known {
        self.items.entry(index).or_insert(Known { item, outcome: None, in_flight: None, round: 0 })
    }
}

/// An open journal, at its end.
pub(super) struct Journal {
    file: File,
    path: Box<Path>,
}

impl Journal {
    /// Opens the journal at `path` for one run alone, empty if it is a `restart`.
    pub(super) fn open(path: &Path, restart: bool) -> Result<Self, Error> {
        let mut file = files::open_alone(path)?;
        if restart {
            files::cut(&mut file, 0, path)?;
        }
        Ok(Self { file, path: path.into() })
    }

    /// Reads what an earlier run noted and cuts off a torn line. Nothing when there is no whole line.
    pub(super) fn read(&mut self, call: &str) -> Result<Option<Past>, Error> {
        let mut past: Option<Past> = None;
        let mut reader = BufReader::new(&self.file);
        let mut whole = 0;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(Error::file("read", &self.path))?;
            if line.pop() != Some(b'\n') {
                break;
            }
            let note = serde_json::from_slice(&line).ok().filter(|_| line.len() <= MAX_LINE_BYTES);
            match (note, &mut past) {
                (Some(Note::Run { version: VERSION, call: noted, run }), None) => {
                    if noted != named(call) {
                        let problem =
                            format!("is the journal of `{noted}`: start anew, or keep another journal");
                        return Err(Error::state(&self.path, problem));
                    }
                    past = Some(Past::new(run));
                }
                (Some(note), Some(past)) => past.apply(&note),
                (_, _) => {
                    let problem = match number {
                        1 => "is not a journal that can be gone on with (line 1): keep the journal in another file".to_owned(),
                        _ => format!(
                            "is damaged (line {number}), so nobody knows what became of which item: put back a whole copy, or start anew"
                        ),
                    };
                    return Err(Error::state(&self.path, problem));
                }
            }
            whole += line.len() as u64 + 1;
        }
        files::cut(&mut self.file, whole, &self.path)?;
        Ok(past)
    }

    /// Begins the journal of a new run.
    pub(super) fn begin(&mut self, call: &str) -> Result<Past, Error> {
        let run = Random::new().uuid();
        self.append(&[Note::Run { version: VERSION, call: named(call), run: run.clone() }])?;
        Ok(Past::new(run))
    }

    /// Takes back the outcome of the items at `indexes`.
    pub(super) fn reopen(&mut self, past: &mut Past, indexes: &[u64]) -> Result<(), Error> {
        let notes: Vec<Note> = indexes.iter().map(|&index| Note::Reopened { index }).collect();
        self.append(&notes)?;
        notes.iter().for_each(|note| past.apply(note));
        Ok(())
    }

    /// Notes that the failures were trimmed.
    pub(super) fn trimmed(&mut self, past: &mut Past, lengths: Lengths) -> Result<(), Error> {
        let note = Note::Trimmed { lengths };
        self.append(std::slice::from_ref(&note))?;
        past.apply(&note);
        Ok(())
    }

    /// Brings `notes` to disk.
    pub(super) fn append(&mut self, notes: &[Note]) -> Result<(), Error> {
        if notes.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for note in notes {
            serde_json::to_writer(&mut lines, note).expect("it has text keys only");
            lines.push(b'\n');
        }
        self.file
            .write_all(&lines)
            .and_then(|()| self.file.sync_data())
            .map_err(Error::file("write", &self.path))
    }
}

fn named(call: &str) -> String {
    Redactor::global().redact(call).into_owned()
}
