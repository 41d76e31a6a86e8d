//! Cuts the body of a page into records while it comes in.
//!
//! The records are neither parsed nor copied (unless one lies across two pieces), and memory depends on the largest of them. All of
//! the body is checked to be JSON (RFC 8259), since a record that is only copied meets no other parser.

mod absence;
mod locator;
mod scanner;
#[cfg(test)]
mod tests;
pub(crate) mod whole;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::{Error, Kind, json};

use super::record::Record;
use locator::{Found, Locator};
pub(crate) use scanner::MAX_DEPTH;
use scanner::{Fault, Scanner};

/// Default bound on the size of one record: 16 MiB.
pub const DEFAULT_MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// Bound on what stands around the records, and on the white space between one and the next: 1 MiB.
pub const MAX_ENVELOPE_BYTES: usize = 1024 * 1024;

/// First bytes of a body that are kept, to be shown when it is not what it should be.
const HEAD_BYTES: usize = 4096;

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Where a body has its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records {
    /// In the array at this path.
    Array(json::Path),
    /// In the array at this path; a body without it, or with null there, has no records.
    OptionalArray(json::Path),
    /// Each JSON value of the body is a record (NDJSON, JSON lines).
    Lines,
}

/// Cuts a body into records, piece by piece.
///
/// ```
/// use nuncio_client::pages::{Records, Splitter};
///
/// let mut splitter = Splitter::new(Records::Array("data".parse()?));
/// let mut records = Vec::new();
/// for piece in [r#"{"data":[{"id":1},{"id"#, r#"":2}],"has_more":false}"#] {
///     splitter.feed(&piece.into(), &mut records)?;
/// }
/// assert_eq!(records[1].as_str(), r#"{"id":2}"#);
/// assert_eq!(splitter.finish(&mut records)?.get(), r#"{"data":[],"has_more":false}"#);
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug)]
pub struct Splitter {
    locator: Locator,
    optional: bool,
    scanner: Scanner,
    phase: Phase,
    /// Everything but the records, so that their array is empty in it.
    envelope: Vec<u8>,
    /// The first part of a record whose end has not come yet.
    carry: Vec<u8>,
    max_record_bytes: usize,
    /// White space since the last record, in pieces that had nothing else.
    blanks: usize,
    head: Vec<u8>,
    mark: &'static [u8],
    offset: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Envelope,
    Between,
    Record,
    /// Where each value of the body is a record.
    BetweenLines,
    Line,
}

impl Splitter {
    /// A splitter for one body.
    #[must_use]
    pub fn new(records: Records) -> Self {
        let (path, optional, phase) = match records {
            Records::Array(path) => (path, false, Phase::Envelope),
            Records::OptionalArray(path) => (path, true, Phase::Envelope),
            Records::Lines => (json::Path::ROOT, true, Phase::BetweenLines),
        };
        Self {
            locator: Locator::new(path),
            optional,
            scanner: Scanner::new(),
            phase,
            envelope: Vec::new(),
            carry: Vec::new(),
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            blanks: 0,
            head: Vec::new(),
            mark: &BYTE_ORDER_MARK,
            offset: 0,
        }
    }

    /// Bounds the size of one record. Default: [`DEFAULT_MAX_RECORD_BYTES`].
    #[must_use]
    pub fn max_record_bytes(mut self, bytes: usize) -> Self {
        self.max_record_bytes = bytes;
        self
    }

    /// Takes the next piece of the body and adds the records that end in it to `records`.
    ///
    /// # Errors
    /// [`Kind::Decode`] where the body is not JSON, or nests deeper than 128; [`Kind::TooLarge`] for a record over the bound, and for
    /// more than [`MAX_ENVELOPE_BYTES`] around the records or between two of them. Records that ended before the fault are added all the same.
    pub fn feed(&mut self, piece: &Bytes, records: &mut Vec<Record>) -> Result<(), Error> {
        let room = HEAD_BYTES.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..room]);
        let mut at = 0;
        while self.mark.first().is_some_and(|byte| piece.get(at) == Some(byte)) {
            self.mark = &self.mark[1..];
            at += 1;
        }
        if at < piece.len() {
            self.mark = &[];
        }
        while at < piece.len() {
            let from = at;
            match self.phase {
                Phase::Envelope => self.read_envelope(piece, &mut at)?,
                Phase::Between => {
                    let element = self.scanner.element(piece, &mut at);
                    match element.map_err(|fault| self.not_json(fault, at))? {
                        Some(true) => self.phase = Phase::Record,
                        Some(false) => self.leave_array()?,
                        None => self.pass_blanks(at - from)?,
                    }
                }
                Phase::BetweenLines => {
                    if self.scanner.line(piece, &mut at) {
                        self.phase = Phase::Line;
                    } else {
                        self.pass_blanks(at - from)?;
                    }
                }
                Phase::Record | Phase::Line => records.extend(self.read_record(piece, &mut at)?),
            }
        }
        self.offset += piece.len() as u64;
        Ok(())
    }

    /// Whether the body came to its end. More than white space behind it is an error all the same.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self.phase {
            Phase::Envelope => self.scanner.is_done(),
            Phase::Between | Phase::Record => false,
            Phase::BetweenLines => true,
            Phase::Line => self.scanner.is_done(),
        }
    }

    /// The first bytes of the body, to be shown when something is wrong with it.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Ends the body and hands out what stood around the records, with an empty array in their place; `null` for lines. A record
    /// that only the end of the body ends, a number on the last line, is added to `records`.
    ///
    /// # Errors
    /// [`Kind::Decode`] when the body ended too early or has no records at the path, unless that is allowed.
    pub fn finish(mut self, records: &mut Vec<Record>) -> Result<Box<RawValue>, Error> {
        if !self.is_complete() {
            let message = format!("the body ends too early, after {} bytes", self.offset);
            return Err(Error::new(Kind::Decode, message));
        }
        match self.phase {
            Phase::Line => {
                let last = Bytes::from(std::mem::take(&mut self.carry));
                records.push(self.record(last, 0)?);
                Ok(RawValue::NULL.to_owned())
            }
            Phase::BetweenLines => Ok(RawValue::NULL.to_owned()),
            Phase::Envelope | Phase::Between | Phase::Record => self.into_envelope(),
        }
    }

    fn read_envelope(&mut self, piece: &[u8], at: &mut usize) -> Result<(), Error> {
        let mut from = *at;
        loop {
            let token = self.scanner.token(piece, at).map_err(|fault| self.not_json(fault, *at))?;
            let Some(token) = token else {
                return self.keep(&piece[from..*at]);
            };
            if self.locator.wants_key(token, &self.scanner) {
                self.keep(&piece[from..*at])?;
                from = *at;
                self.locator.key(last_string(&self.envelope));
            } else if self.locator.value(token, &self.scanner) {
                self.phase = Phase::Between;
                return self.keep(&piece[from..*at]);
            }
        }
    }

    /// Notes that a piece had nothing but white space, which may go on for ever.
    fn pass_blanks(&mut self, count: usize) -> Result<(), Error> {
        self.blanks += count;
        if self.blanks > MAX_ENVELOPE_BYTES {
            let message = "more than a MiB of white space stands between two records";
            return Err(Error::new(Kind::TooLarge, message));
        }
        Ok(())
    }

    fn leave_array(&mut self) -> Result<(), Error> {
        self.phase = Phase::Envelope;
        self.keep(b"]")
    }

    fn keep(&mut self, around: &[u8]) -> Result<(), Error> {
        if self.envelope.len() + around.len() > MAX_ENVELOPE_BYTES {
            let message = match self.locator.found() {
                Found::Nothing => {
                    format!("no records at `{}` in the first MiB of the body", self.locator.path())
                }
                _ => format!("more than a MiB stands around the records at `{}`", self.locator.path()),
            };
            return Err(Error::new(Kind::TooLarge, message).advise("check the path to the records"));
        }
        self.envelope.extend_from_slice(around);
        Ok(())
    }

    fn read_record(&mut self, piece: &Bytes, at: &mut usize) -> Result<Option<Record>, Error> {
        let from = *at;
        let depth = if self.phase == Phase::Line { 0 } else { self.locator.path().steps().len() as u32 + 1 };
        let end = if self.carry.is_empty() && self.scanner.skip_whole_value(piece, at) {
            Some(())
        } else {
            self.scanner.skip_value(depth, piece, at).map_err(|fault| self.not_json(fault, *at))?
        };
        if self.carry.len() + (*at - from) > self.max_record_bytes {
            let message = format!("a record is larger than {} bytes", self.max_record_bytes);
            return Err(Error::new(Kind::TooLarge, message));
        }
        if end.is_some() && self.carry.is_empty() {
            self.between();
            return self.record(piece.slice(from..*at), *at).map(Some);
        }
        self.carry.extend_from_slice(&piece[from..*at]);
        if end.is_none() {
            return Ok(None);
        }
        self.between();
        let whole = Bytes::from(std::mem::take(&mut self.carry));
        self.record(whole, *at).map(Some)
    }

    fn between(&mut self) {
        self.blanks = 0;
        self.phase = if self.phase == Phase::Line { Phase::BetweenLines } else { Phase::Between };
    }

    fn record(&self, json: Bytes, end: usize) -> Result<Record, Error> {
        if std::str::from_utf8(&json).is_err() {
            let end = self.offset + end as u64;
            let message = format!("the record that ends at byte {end} of the body is not UTF-8");
            return Err(Error::new(Kind::Decode, message));
        }
        Ok(Record::checked(json))
    }

    fn into_envelope(self) -> Result<Box<RawValue>, Error> {
        match self.locator.found() {
            Found::Array => {}
            Found::Twice => {
                let message = format!("the body has `{}` twice", self.locator.path());
                return Err(Error::new(Kind::Decode, message));
            }
            Found::Nothing | Found::Other => {
                absence::check(self.locator.path(), &self.envelope, self.optional)?;
            }
        }
        let text = String::from_utf8(self.envelope)
            .map_err(|source| Error::new(Kind::Decode, "the body is not UTF-8").because(source))?;
        Ok(RawValue::from_string(text).expect("the scanner lets nothing but JSON pass"))
    }

    fn not_json(&self, fault: Fault, at: usize) -> Error {
        let offset = self.offset + at as u64;
        let error = match fault {
            Fault::TooDeep => format!("the body nests deeper than 128 at byte {offset}"),
            Fault::Unexpected(byte) if byte.is_ascii() => {
                format!("the body is not JSON: unexpected {:?} at byte {offset}", char::from(byte))
            }
            Fault::Unexpected(byte) => {
                format!("the body is not JSON: unexpected {byte:#04x} at byte {offset}")
            }
        };
        let error = Error::new(Kind::Decode, error);
        if self.head.trim_ascii_start().starts_with(b"<") {
            error
                .advise("it looks like HTML: a maintenance page, a login page, or another URL than the API's")
        } else {
            error
        }
    }
}

/// The JSON string that `json` ends with.
fn last_string(json: &[u8]) -> &[u8] {
    let is_escaped =
        |quote: usize| json[..quote].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
    let start = (0..json.len().saturating_sub(1)).rev().find(|at| json[*at] == b'"' && !is_escaped(*at));
    &json[start.unwrap_or_default()..]
}
