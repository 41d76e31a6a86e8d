//! The language of the files under `events/`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The events of one provider.
#[derive(Debug, Deserialize)]
pub(super) struct Template {
    /// The vendor's pages that the shapes were taken from.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for whoever reads the file; a test sees that it is there")
    )]
    pub(super) sources: Vec<String>,
    /// What names an event in every attempt to deliver it, for schemes that send that in a header. Default: a UUID.
    #[serde(default = "uuid")]
    pub(super) id: String,
    /// What all events share.
    #[serde(flatten)]
    pub(super) shared: Event,
    /// The events by their names.
    pub(super) events: BTreeMap<String, Event>,
}

/// What one event has, over what all share: the body is JSON or a form.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Event {
    /// Headers, beside those that sign it.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// The body in JSON.
    #[serde(default)]
    pub(super) body: Value,
    /// The fields of a form.
    #[serde(default)]
    pub(super) form: Option<BTreeMap<String, String>>,
}

fn uuid() -> String {
    "{uuid}".to_owned()
}

/// What is `over` something: members of objects replace those of the same name, and everything else is replaced whole.
pub(super) fn over(below: &Value, above: &Value) -> Value {
    match (below, above) {
        (below, Value::Null) => below.clone(),
        (Value::Object(below), Value::Object(above)) => {
            let mut merged: Map<String, Value> = below.clone();
            for (name, value) in above {
                let under = below.get(name).unwrap_or(&Value::Null);
                let value = if value.is_null() { Value::Null } else { over(under, value) };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (_, above) => above.clone(),
    }
}
