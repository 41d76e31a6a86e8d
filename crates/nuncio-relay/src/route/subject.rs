//! An event as expressions see it.

use std::cell::OnceCell;

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
            let body = self
                .jq_body()
                .unwrap_or_else(|| Val::from(String::from_utf8_lossy(&self.event.body).into_owned()));
            let around = read::parse_single(around.to_string().as_bytes()).unwrap_or(Val::Null);
            match around {
                Val::Obj(fields) => {
                    let mut fields = (*fields).clone();
                    fields.insert(Val::from("body".to_owned()), body);
                    Val::obj(fields)
                }
                other => other,
            }
        })
    }

    fn jq_body(&self) -> Option<Val> {
        let body = &self.event.body;
        if depth(body) > MAX_DEPTH {
            return None;
        }
        read::parse_single(body).ok()
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
