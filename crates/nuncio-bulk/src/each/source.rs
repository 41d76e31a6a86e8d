//! The items, one at a time.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use nuncio_client::{Evidence, Kind};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::{Error, Format};

/// Bound on one line of JSON or one row of CSV.
pub const MAX_ITEM_BYTES: u64 = 16 * 1024 * 1024;

/// How many items are read ahead.
const READ_AHEAD: usize = 64;

/// For how many items there must be room before the reading goes on: it is not woken for each that is taken.
const ROOM: usize = READ_AHEAD / 2;

/// One item of the input.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Item {
    /// Its number, from 0.
    pub index: u64,
    /// The line it begins on, from 1.
    pub line: u64,
    /// What it is. Numbers that no 64-bit number holds are rounded here, and exact in [`raw`](Self::raw).
    pub value: Arc<Value>,
    /// What it is, as written: JSON.
    pub raw: String,
}

/// An item as it was read, and not looked into yet: what many small values are made of is freed where it was made, or the threads
/// wait for each other.
pub(super) struct Line {
    index: u64,
    line: u64,
    /// JSON, or what is to be read as such.
    text: String,
    problem: Option<String>,
}

/// What stands on the next line.
pub(super) struct Entry {
    /// The item; where it is none, nothing as its value and the text of the line as what is written.
    shown: Item,
    /// Why it is no item.
    problem: Option<String>,
}

impl Entry {
    /// What stands there, be it an item or not.
    pub(super) fn shown(&self) -> &Item {
        &self.shown
    }

    /// The item, if it is one.
    pub(super) fn item(&self) -> Result<&Item, nuncio_client::Error> {
        match &self.problem {
            None => Ok(&self.shown),
            Some(problem) => {
                let message = format!("line {} of the input is no item: {problem}", self.shown.line);
                Err(nuncio_client::Error::new(Kind::Validation, message).evidence_is(Evidence::NeverSent))
            }
        }
    }

    /// Tells whether an item is the one it was in an earlier run.
    pub(super) fn digest(&self) -> u64 {
        let digest = Sha256::digest(&self.shown.raw);
        digest[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

impl From<Line> for Entry {
    fn from(Line { index, line, text, problem }: Line) -> Self {
        let read = match problem {
            None => serde_json::from_str(&text).map_err(|error| (error.to_string(), json(&text))),
            Some(problem) => Err((problem, text.clone())),
        };
        match read {
            Ok(value) => {
                Self { shown: Item { index, line, value: Arc::new(value), raw: text }, problem: None }
            }
            Err((problem, raw)) => {
                Self { shown: Item { index, line, value: Arc::default(), raw }, problem: Some(problem) }
            }
        }
    }
}

/// Reads on a thread of its own: a pipe may keep it waiting for any time.
pub(super) fn entries(input: Box<dyn BufRead + Send>, format: Format) -> mpsc::Receiver<Result<Line, Error>> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let runtime = Handle::current();
    std::thread::spawn(move || {
        let mut room = None;
        let send = |entry| {
            let permit = match room.as_mut().and_then(Iterator::next) {
                Some(permit) => permit,
                None => {
                    let reserved = runtime.block_on(sender.reserve_many(ROOM)).map_err(drop)?;
                    room.insert(reserved).next().expect("there is room for more than one")
                }
            };
            permit.send(entry);
            Ok(())
        };
        // It ends early only when nobody wants to know any more.
        let _ = match format {
            Format::Jsonl => read_lines(input, send),
            Format::Csv => read_rows(input, send),
        };
    });
    receiver
}

type Sent = Result<(), ()>;

fn read_lines(mut input: impl BufRead, mut send: impl FnMut(Result<Line, Error>) -> Sent) -> Sent {
    let mut index = 0;
    for line in 1.. {
        let mut bytes = Vec::new();
        if let Err(error) = (&mut input).take(MAX_ITEM_BYTES + 1).read_until(b'\n', &mut bytes) {
            return send(Err(broken(line, &error)));
        }
        if bytes.is_empty() {
            break;
        }
        if bytes.len() as u64 > MAX_ITEM_BYTES {
            return send(Err(too_long(line)));
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        // Lossy text is not taken for the item: what was sent would not be what was written.
        let problem = std::str::from_utf8(&bytes).err().map(|error| error.to_string());
        let text = if problem.is_some() { json(text) } else { text.to_owned() };
        send(Ok(Line { index, line, text, problem }))?;
        index += 1;
    }
    Ok(())
}

fn read_rows(input: impl BufRead, mut send: impl FnMut(Result<Line, Error>) -> Sent) -> Sent {
    let mut reader = csv::Reader::from_reader(Bounded { input, left: MAX_ITEM_BYTES });
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return send(Err(broken(1, &error))),
    };
    let mut row = csv::StringRecord::new();
    for index in 0.. {
        reader.get_mut().left = MAX_ITEM_BYTES;
        let line = reader.position().line();
        let (text, problem) = match reader.read_record(&mut row) {
            Ok(false) => break,
            Ok(true) => {
                let fields = header.iter().zip(&row).map(|(name, cell)| (name.to_owned(), cell.into()));
                (json::<Map<String, Value>>(&fields.collect()), None)
            }
            Err(error) if error.is_io_error() => return send(Err(broken(line, &error))),
            Err(error) => (json(&row.iter().collect::<Vec<_>>()), Some(error.to_string())),
        };
        send(Ok(Line { index, line, text, problem }))?;
    }
    Ok(())
}

/// Fails when a row takes more than it may.
struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other(format!("it is longer than {MAX_ITEM_BYTES} bytes")));
        }
        let read = (&mut self.input).take(self.left).read(buffer)?;
        self.left -= read as u64;
        Ok(read)
    }
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("it has text keys only")
}

fn broken(line: u64, error: &dyn std::error::Error) -> Error {
    Error::Input { line, problem: format!("cannot be read: {error}") }
}

fn too_long(line: u64) -> Error {
    Error::Input { line, problem: format!("is longer than {MAX_ITEM_BYTES} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &'static [u8], format: Format) -> Vec<(u64, Result<Value, String>)> {
        let mut all = Vec::new();
        let send = |line: Result<Line, Error>| {
            let Entry { shown, problem } = line.unwrap().into();
            all.push((shown.line, problem.map_or(Ok(Value::clone(&shown.value)), Err)));
            Ok(())
        };
        match format {
            Format::Jsonl => read_lines(input, send),
            Format::Csv => read_rows(input, send),
        }
        .unwrap();
        all
    }

    #[test]
    fn a_bad_line_is_a_bad_item_and_no_end() {
        let read = read(b"\xef\xbb\xbf{\"a\": 1}\r\n\n{\"a\": \n\"\xff\"\n2", Format::Jsonl);
        let lines: Vec<_> = read.iter().map(|(line, value)| (*line, value.is_ok())).collect();
        assert_eq!(lines, [(1, true), (3, false), (4, false), (5, true)]);
    }

    #[test]
    fn rows_are_objects_of_strings() {
        let read = read(b"id,name\n007,\"a\nb\"\nshort\n8,c\n", Format::Csv);
        assert_eq!(read[0], (2, Ok(serde_json::json!({"id": "007", "name": "a\nb"}))));
        assert!(read[1].1.is_err());
        assert_eq!(read[2], (5, Ok(serde_json::json!({"id": "8", "name": "c"}))));
    }

    #[test]
    fn an_endless_item_is_an_error() {
        for format in [Format::Jsonl, Format::Csv] {
            let endless = io::BufReader::new(b"a\n".chain(io::repeat(b'"')));
            let mut last = None;
            let send = |entry| {
                last = Some(entry);
                Ok(())
            };
            match format {
                Format::Jsonl => read_lines(endless, send),
                Format::Csv => read_rows(endless, send),
            }
            .unwrap();
            assert!(matches!(last, Some(Err(Error::Input { line: 2, .. }))));
        }
    }
}
