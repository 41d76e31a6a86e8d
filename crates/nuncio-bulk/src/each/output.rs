//! The lines of the result and failure files.

use std::borrow::Cow;

use nuncio_client::{Answer, Error, Evidence, Redactor};
use serde::Serialize;
use serde_json::value::RawValue;

use super::journal::Outcome;
use super::source::Entry;

/// What became of an item that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    NeverSent,
    Rejected,
    Unknown,
}

impl From<Evidence> for Fate {
    fn from(evidence: Evidence) -> Self {
        match evidence {
            Evidence::NeverSent => Self::NeverSent,
            Evidence::Rejected => Self::Rejected,
            Evidence::Unknown => Self::Unknown,
        }
    }
}

impl From<Fate> for Outcome {
    fn from(fate: Fate) -> Self {
        match fate {
            Fate::NeverSent | Fate::Rejected => Self::Failed,
            Fate::Unknown => Self::Unknown,
        }
    }
}

#[derive(Serialize)]
struct Success<'a> {
    index: u64,
    status: u16,
    body: &'a RawValue,
}

#[derive(Serialize)]
struct Failure<'a> {
    index: u64,
    line: u64,
    item: &'a RawValue,
    fate: Fate,
    error: Cause<'a>,
}

#[derive(Serialize)]
struct Cause<'a> {
    kind: &'static str,
    message: String,
    advice: Option<&'a str>,
    status: Option<u16>,
    code: Option<Cow<'a, str>>,
    request_id: Option<Cow<'a, str>>,
    attempts: usize,
}

pub(super) fn success(index: u64, answer: &Answer) -> Vec<u8> {
    let text = answer.text().unwrap_or_else(|_| String::from_utf8_lossy(&answer.body));
    line(&Success { index, status: answer.status.as_u16(), body: &one_line(&text) })
}

pub(super) fn failure(entry: &Entry, fate: Fate, error: &Error) -> Vec<u8> {
    let redactor = Redactor::global();
    let item = entry.shown();
    let cause = Cause {
        kind: error.kind().name(),
        message: error.to_string(),
        advice: error.advice(),
        status: error.status().map(|status| status.as_u16()),
        // The server's words, which may be what was sent to it.
        code: error.code().map(|code| redactor.redact(code)),
        request_id: error.answer().and_then(Answer::request_id).map(|id| redactor.redact(id)),
        attempts: error.history().len(),
    };
    let raw = serde_json::from_str(&item.raw).expect("it was read as JSON or made so");
    line(&Failure { index: item.index, line: item.line, item: raw, fate, error: cause })
}

/// JSON as it came, but on one line; other text as a string; nothing as null.
fn one_line(text: &str) -> Cow<'_, RawValue> {
    if text.trim().is_empty() {
        return Cow::Borrowed(RawValue::NULL);
    }
    // By bytes: by characters it takes longer than all the rest of the line.
    let is_line_end = |byte: u8| matches!(byte, b'\n' | b'\r');
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) if !json.get().bytes().any(is_line_end) => Cow::Borrowed(json),
        // JSON strings hold no line ends, so these are white space wherever they stand.
        Ok(json) => Cow::Owned(
            RawValue::from_string(json.get().replace(['\n', '\r'], "")).expect("white space was left out"),
        ),
        Err(_) => Cow::Owned(serde_json::value::to_raw_value(text).expect("text is JSON")),
    }
}

fn line<T: Serialize>(value: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("it has text keys only");
    line.push(b'\n');
    line
}
