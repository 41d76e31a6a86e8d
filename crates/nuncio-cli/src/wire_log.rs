//! `--verbose`: what goes over the wire and why, secrets blanked. `>` is sent, `<` is received, `*` is ours.

use http::HeaderMap;
use nuncio_client::{Event, Observer, Redactor, redact};
use serde_json::{Map, Value, json};

use crate::stderr;

/// How much of a body is shown.
const MAX_SHOWN_BYTES: usize = 4096;

/// An observer that writes events to standard error, as lines for a person or as JSON objects: all of them, or warnings alone.
pub(crate) fn observer(all: bool, as_json: bool) -> Observer {
    Observer::new(move |event| {
        if !all && !matches!(event, Event::Warning { .. }) {
            return;
        }
        if as_json {
            stderr::line(&json!({ "event": object(event) }).to_string());
        } else {
            show(event);
        }
    })
}

/// Writes one event for a person.
pub(crate) fn show(event: &Event<'_>) {
    stderr::line(text(event).trim_end());
}

fn text(event: &Event<'_>) -> String {
    match event {
        Event::Sending { method, uri, headers, body } => {
            message('>', &format!("{method} {}", redact::url(*uri)), headers, *body)
        }
        Event::Answered { status, headers, body, took } => {
            message('<', &format!("{status} ({:.3} s)", took.as_secs_f64()), headers, *body)
        }
        Event::Failed { kind, message } => format!("* failed: {message} ({kind})"),
        Event::Retrying { attempt, after, reason } => {
            format!("* attempt {attempt} failed, the next is in {:.3} s: {reason}", after.as_secs_f64())
        }
        Event::GaveUp { attempts, reason } => format!("* gave up after attempt {attempts}: {reason}"),
        Event::Limited { waited, reason } => {
            format!("* waited {:.3} s for the limit: {reason}", waited.as_secs_f64())
        }
        Event::Token { reason } => format!("* token: {reason}"),
        Event::Page { number, records } => format!("* page {number}: {records} records"),
        Event::PagesEnded { reason } => format!("* no further page: {reason}"),
        Event::Warning { message } => format!("* warning: {message}"),
        _ => "* something else happened".to_owned(),
    }
}

fn message(mark: char, head: &str, headers: &HeaderMap, body: Option<&[u8]>) -> String {
    let mut out = format!("{mark} {head}\n");
    for (name, value) in redact::headers(headers) {
        out.push_str(&format!("{mark} {name}: {value}\n"));
    }
    if let Some(body) = body.filter(|body| !body.is_empty()) {
        out.push_str(&format!("{mark}\n"));
        for line in shown(body).lines() {
            out.push_str(&format!("{mark} {line}\n"));
        }
    }
    out
}

/// The beginning of a body as text, secrets blanked before it is cut: half a secret would not be recognised.
fn shown(body: &[u8]) -> String {
    let clean = Redactor::global().redact_bytes(body);
    let Ok(text) = std::str::from_utf8(&clean) else {
        return format!("({} bytes that are no text)", body.len());
    };
    match text.char_indices().nth(MAX_SHOWN_BYTES) {
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], body.len()),
        None => text.to_owned(),
    }
}

fn object(event: &Event<'_>) -> Value {
    let fields = |headers: &HeaderMap| -> Map<String, Value> {
        redact::headers(headers).map(|(name, value)| (name.as_str().to_owned(), value.into())).collect()
    };
    match event {
        Event::Sending { method, uri, headers, body } => json!({
            "type": "sending", "method": method.as_str(), "url": redact::url(*uri), "headers": fields(headers), "body": body.map(shown),
        }),
        Event::Answered { status, headers, body, took } => json!({
            "type": "answered", "status": status.as_u16(), "headers": fields(headers), "body": body.map(shown),
            "took_secs": took.as_secs_f64(),
        }),
        Event::Failed { kind, message } => json!({"type": "failed", "kind": kind.name(), "message": message}),
        Event::Retrying { attempt, after, reason } => {
            json!({"type": "retrying", "attempt": attempt, "after_secs": after.as_secs_f64(), "reason": reason})
        }
        Event::GaveUp { attempts, reason } => {
            json!({"type": "gave_up", "attempts": attempts, "reason": reason})
        }
        Event::Limited { waited, reason } => {
            json!({"type": "limited", "waited_secs": waited.as_secs_f64(), "reason": reason})
        }
        Event::Token { reason } => json!({"type": "token", "reason": reason}),
        Event::Page { number, records } => json!({"type": "page", "number": number, "records": records}),
        Event::PagesEnded { reason } => json!({"type": "pages_ended", "reason": reason}),
        Event::Warning { message } => json!({"type": "warning", "message": message}),
        _ => json!({"type": "other"}),
    }
}
