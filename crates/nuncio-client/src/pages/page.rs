//! Reads the body of one page, again if it breaks off.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;

use crate::{Answer, Body, Error, Kind, Response};

use super::digest::Digest;
use super::{Pages, Record, Records, Splitter};

/// Bound on the body of a failure that is kept with its error.
const MAX_FAILURE_BYTES: usize = 64 * 1024;

/// The records of a page over all readings of it. Those given out once are not given out again, and must be the same.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// How many of the page's records came so far.
    noted: u64,
    /// Of those.
    digest: Digest,
    last: Option<Record>,
    /// How many of them were given out, by this run or before its checkpoint.
    out: u64,
    /// How many more may be given out.
    room: u64,
    is_over: bool,
}

impl Given {
    /// For a page of which `skip` records were given out before this run and `room` more may be.
    pub(super) fn new(skip: u64, room: u64) -> Self {
        Self { noted: 0, digest: Digest::default(), last: None, out: skip, room, is_over: false }
    }

    /// Number of records on the page.
    pub(super) fn count(&self) -> u64 {
        self.noted
    }

    /// Number of its records that were given out.
    pub(super) fn out(&self) -> u64 {
        self.out
    }

    /// Whether the page has more records than there was room for.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Its last record.
    pub(super) fn last(&self) -> Option<&Record> {
        self.last.as_ref()
    }

    /// Equal for pages with equal records.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// Takes the next record; hands it back if it is to be given out.
    fn note(&mut self, record: Record) -> Option<Record> {
        self.noted += 1;
        self.digest = self.digest.and(Digest::of(record.as_bytes()));
        self.last = Some(record.clone());
        if self.noted <= self.out {
            return None;
        }
        self.is_over = self.room == 0;
        if self.is_over {
            return None;
        }
        self.room -= 1;
        self.out += 1;
        Some(record)
    }
}

/// One reading of a page's body.
pub(super) struct Reading {
    splitter: Splitter,
    body: crate::body::BodyStream,
    answer: Answer,
    is_lines: bool,
    at: u64,
    digest: Digest,
}

/// Why a reading ended early.
#[derive(Debug)]
pub(super) enum Failure {
    /// The body broke off: it may be whole next time.
    BrokenOff(Error),
    /// It will be the same next time.
    Final(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::BrokenOff(error) | Failure::Final(error) => error,
        }
    }
}

impl Reading {
    /// Begins to read an answer.
    ///
    /// # Errors
    /// [`Kind::Status`] when it is a failure, which a service with the check layer has turned into an error before.
    pub(super) async fn begin(response: Response, pages: &Pages) -> Result<Self, Error> {
        let (parts, body) = response.into_parts();
        let mut answer = Answer::new(parts.status, parts.headers, Bytes::new());
        if !parts.status.is_success() {
            answer.body = body.collect(MAX_FAILURE_BYTES).await.unwrap_or_default();
            let message = format!("the service answered {}", parts.status);
            return Err(Error::new(Kind::Status, message).answered(answer));
        }
        // No content means no records, and no path to look for them.
        let (records, body) = match parts.status {
            StatusCode::NO_CONTENT => (Records::Lines, Body::Empty),
            _ => (pages.records.clone(), body),
        };
        Ok(Self {
            is_lines: records == Records::Lines,
            splitter: Splitter::new(records).max_record_bytes(pages.max_record_bytes),
            body: body.into_stream(),
            answer,
            at: 0,
            digest: Digest::default(),
        })
    }

    /// Reads until some records or one too many are there (`true`), or the body ends (`false`). The last records of a body come with its end, so that
    /// the next page can be asked for before they are given out. After a failure, `records` has those that came before it.
    pub(super) async fn more(
        &mut self,
        given: &mut Given,
        records: &mut Vec<Record>,
    ) -> Result<bool, Failure> {
        let mut read = Vec::new();
        while let Some(piece) = self.body.next().await {
            let piece = piece.map_err(|error| match error.kind() {
                Kind::Connect | Kind::Timeout => Failure::BrokenOff(error),
                _ => Failure::Final(error),
            })?;
            let fed = self.splitter.feed(&piece, &mut read);
            self.note(&mut read, given, records)?;
            if let Err(error) = fed {
                self.answer.body = Bytes::copy_from_slice(self.splitter.head());
                return Err(Failure::Final(error.answered(self.answer.clone())));
            }
            let is_at_end = self.splitter.is_complete() && !self.is_lines;
            if given.is_over() || (!is_at_end && !records.is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ends the page; hands out its headers and what stood around the records.
    pub(super) fn finish(
        mut self,
        given: &mut Given,
        records: &mut Vec<Record>,
    ) -> Result<(HeaderMap, Box<RawValue>), Failure> {
        let is_complete = self.splitter.is_complete();
        let splitter = std::mem::replace(&mut self.splitter, Splitter::new(Records::Lines));
        self.answer.body = Bytes::copy_from_slice(splitter.head());
        let mut read = Vec::new();
        let envelope = splitter.finish(&mut read);
        self.note(&mut read, given, records)?;
        match envelope {
            Ok(envelope) if self.at >= given.noted => Ok((self.answer.headers, envelope)),
            Ok(_) => Err(Failure::Final(changed())),
            Err(error) if is_complete => Err(Failure::Final(error.answered(self.answer))),
            Err(error) => Err(Failure::BrokenOff(error.answered(self.answer))),
        }
    }

    /// Moves the records that were not given out yet from `read` to `records`.
    fn note(
        &mut self,
        read: &mut Vec<Record>,
        given: &mut Given,
        records: &mut Vec<Record>,
    ) -> Result<(), Failure> {
        for record in read.drain(..) {
            self.at += 1;
            if self.at > given.noted {
                records.extend(given.note(record));
                continue;
            }
            self.digest = self.digest.and(Digest::of(record.as_bytes()));
            if self.at == given.noted && self.digest != given.digest {
                return Err(Failure::Final(changed()));
            }
        }
        Ok(())
    }
}

fn changed() -> Error {
    Error::new(Kind::Pages, "the page changed while it was read again after it had broken off")
        .advise("pull again from the last checkpoint")
}
