//! An event as expressions see it.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use jaq_json::{Val, read};
use nuncio_client::json::depth;
use serde_json::{Value, json};

use crate::Event;

/// How deep arrays and objects may nest: jaq reads, shows and drops them by recursion.
const MAX_DEPTH: u32 = 128;

/// An event as expressions see it, `{id, type, headers, body}`, made when the first asks. The body is what its JSON says, or a text where it is no
/// JSON; headers have names in lower case, of repeated ones the first.
pub(crate) struct Subject<'e> {
    event: &'e Event,
    jq: OnceCell<Val>,
    body: OnceCell<Option<Value>>,
}

impl<'e> Subject<'e> {
    pub(crate) fn new(event: &'e Event) -> Self {
        Self { event, jq: OnceCell::new(), body: OnceCell::new() }
    }

    pub(super) fn event(&self) -> &'e Event {
        self.event
    }

    /// The event for jq. Numbers keep their digits.
    pub(crate) fn jq(&self) -> &Val {
        self.jq.get_or_init(|| {
            let around = json!({
                "id": self.event.id,
                "type": self.event.event_type,
                "headers": self.headers(),
                "body": null,
            });
            let around = read::parse_single(around.to_string().as_bytes()).unwrap_or(Val::Null);
            with(around, "body", value(&self.event.body))
        })
    }

    /// The event for jq, with what was answered to calls before as `answers`.
    pub(crate) fn jq_with(&self, answers: &BTreeMap<String, String>) -> Val {
        let answers = answers.iter().fold(Val::obj(jaq_json::Map::default()), |answers, (step, answer)| {
            with(answers, step, value(answer.as_bytes()))
        });
        with(self.jq().clone(), "answers", answers)
    }

    /// The body for JSONPath, if it is JSON.
    pub(super) fn body(&self) -> Option<&Value> {
        self.body.get_or_init(|| serde_json::from_slice(&self.event.body).ok()).as_ref()
    }

    fn headers(&self) -> serde_json::Map<String, Value> {
        let mut headers = serde_json::Map::new();
        for (name, value) in &self.event.headers.0 {
            let value = || Value::from(String::from_utf8_lossy(value).into_owned());
            headers.entry(name.to_ascii_lowercase()).or_insert_with(value);
        }
        headers
    }
}

/// What the JSON says, or a text where it is none.
fn value(bytes: &[u8]) -> Val {
    let json = if depth(bytes) > MAX_DEPTH { None } else { read::parse_single(bytes).ok() };
    json.unwrap_or_else(|| Val::from(String::from_utf8_lossy(bytes).into_owned()))
}

/// The object with one more field.
fn with(object: Val, name: &str, value: Val) -> Val {
    match object {
        Val::Obj(fields) => {
            let mut fields = (*fields).clone();
            fields.insert(Val::from(name.to_owned()), value);
            Val::obj(fields)
        }
        other => other,
    }
}
