//! What a webhook came to, for people and for programs.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use nuncio_webhook::scheme::Reply;
use nuncio_webhook::{Answer, Refusal, Verified};
use serde_json::{Value, json};

use crate::table::visible;

/// What a webhook came to.
pub(super) enum Outcome {
    Genuine(Event),
    Handshake(Answer),
    Refused(Refusal),
}

/// What is told of an event.
pub(super) struct Event {
    id: Option<String>,
    kind: Option<String>,
    signed_at: Option<SystemTime>,
    now: SystemTime,
    secret: String,
    size: usize,
}

impl Event {
    pub(super) fn new(event: &Verified<'_>, now: SystemTime) -> Self {
        Self {
            id: event.id(),
            kind: event.event_type(),
            signed_at: event.signed_at(),
            now,
            secret: event.secret().to_owned(),
            size: event.body().len(),
        }
    }

    fn timestamp(&self) -> Option<u64> {
        let since = self.signed_at?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(since.as_secs())
    }

    fn when(&self) -> Option<String> {
        let distance = match self.now.duration_since(self.signed_at?) {
            Ok(age) => format!("{} seconds ago", age.as_secs()),
            Err(error) => format!("{} seconds ahead", error.duration().as_secs()),
        };
        Some(format!("{} ({distance})", self.timestamp()?))
    }
}

impl Outcome {
    pub(super) fn in_words(&self, provider: &str, reply: Option<&Reply>) -> String {
        match self {
            Self::Genuine(event) => {
                let mut text = format!("genuine: signed by {provider}, with the secret {}\n", event.secret);
                let rows = [
                    ("id", event.id.as_deref().map(visible)),
                    ("type", event.kind.as_deref().map(visible)),
                    ("signed at", event.when()),
                    ("body", Some(format!("{} bytes", event.size))),
                    ("reply", reply.map(wanted)),
                ];
                for (name, value) in rows.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
                    let _ = writeln!(text, "{name:<10} {value}");
                }
                text
            }
            Self::Handshake(Answer { headers, body, visit }) => {
                let mut text =
                    format!("handshake: {provider} asks whether somebody is there\nanswer     200\n");
                for (name, value) in headers {
                    let _ = writeln!(text, "header     {name}: {}", visible(&String::from_utf8_lossy(value)));
                }
                let _ = writeln!(text, "body       {}", visible(&String::from_utf8_lossy(body)));
                if let Some(url) = visit {
                    let _ = writeln!(text, "visit      {}", visible(url));
                }
                text
            }
            Self::Refused(refusal) => format!("refused: {refusal}\n"),
        }
    }

    pub(super) fn object(&self) -> Value {
        match self {
            Self::Genuine(event) => json!({
                "verdict": "genuine", "id": event.id, "type": event.kind, "timestamp": event.timestamp(),
                "secret": event.secret, "body_bytes": event.size,
            }),
            Self::Handshake(Answer { headers, body, visit }) => {
                let headers: serde_json::Map<_, _> = headers
                    .iter()
                    .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into()))
                    .collect();
                json!({
                    "verdict": "handshake", "visit": visit,
                    "answer": { "status": 200, "headers": headers, "body": String::from_utf8_lossy(body) },
                })
            }
            Self::Refused(refusal) => json!({
                "verdict": "refused", "refusal": refusal.name(), "message": refusal.to_string(),
            }),
        }
    }
}

/// The answer that the provider wants, in words.
fn wanted(reply: &Reply) -> String {
    let status =
        reply.status.map_or_else(|| "any status of 200 to 299".to_owned(), |status| status.to_string());
    match reply.within {
        Some(seconds) => format!("{status} within {seconds} seconds"),
        None => status,
    }
}
