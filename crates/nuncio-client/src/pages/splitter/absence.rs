//! Tells what a body has where its records should be.

use serde_json::Value;

use crate::{Error, Kind, json};

/// An error unless records may be absent and `body`, a whole JSON document without an array at `path`, has nothing else there.
pub(super) fn check(path: &json::Path, body: &[u8], optional: bool) -> Result<(), Error> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|source| Error::new(Kind::Decode, "the body cannot be read").because(source))?;
    let message = match path.get(&body) {
        None | Some(Value::Null) if optional => return Ok(()),
        Some(value) => format!("no array of records at `{path}` but {}", shape(value)),
        None => format!("no records at `{path}`: {}", where_it_ends(path, &body)),
    };
    Err(Error::new(Kind::Decode, message).advise("check the path to the records"))
}

/// What stands at the last place on `path` that exists.
fn where_it_ends(path: &json::Path, document: &Value) -> String {
    let mut place = json::Path::ROOT;
    let mut value = document;
    for step in path.steps() {
        let next = place.step(step);
        let Some(inner) = next.get(document) else { break };
        (place, value) = (next, inner);
    }
    let place = if place == json::Path::ROOT { "the body".to_owned() } else { format!("`{place}`") };
    format!("{place} is {}", shape(value))
}

/// A value in a few words; its keys, where it has some.
fn shape(value: &Value) -> String {
    const KEYS: usize = 20;
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(map) if map.is_empty() => "an empty object".to_owned(),
        Value::Object(map) => {
            let keys: Vec<&str> = map.keys().take(KEYS).map(String::as_str).collect();
            let more = if map.len() > KEYS { ", …" } else { "" };
            format!("an object with the keys {}{more}", keys.join(", "))
        }
    }
}
