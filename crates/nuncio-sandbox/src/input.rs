//! The inputs of an operation, found in a request.

use std::collections::BTreeMap;

use http::HeaderMap;
use nuncio_client::json::scalar_text;
use nuncio_service::Operation;
use nuncio_service::model::{Place, Type};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// The inputs by the operation's names, in the described types, and everything else that an operation with a `body` template is sent.
pub(crate) fn read(
    operation: &Operation,
    path: &BTreeMap<String, String>,
    headers: &HeaderMap,
    fields: &Map<String, Value>,
) -> Result<Map<String, Value>, Refusal> {
    // Such a body has other names than the inputs it is made from.
    let is_templated = operation.body.is_some();
    let mut found = if is_templated { fields.clone() } else { Map::new() };
    for (name, input) in &operation.input {
        let wire_name = input.name.as_ref().unwrap_or(name);
        let value = match (path.get(name), input.place) {
            (Some(text), _) => Some(Value::String(text.clone())),
            (None, Some(Place::Header)) => {
                let text = headers.get(wire_name.as_str()).and_then(|value| value.to_str().ok());
                text.map(|text| Value::String(text.to_owned()))
            }
            (None, _) => fields.get(wire_name).cloned(),
        };
        let value = value.filter(|value| !value.is_null());
        match value {
            Some(_) if is_templated && !path.contains_key(name) => {}
            Some(value) => {
                let value = fit(input.kind, value).ok_or_else(|| Refusal::Input {
                    param: wire_name.clone(),
                    message: format!("{wire_name} must be of the type {}", input.kind.name()),
                })?;
                found.insert(name.clone(), value);
            }
            None if input.required && !is_templated => {
                let message = format!("missing required parameter: {wire_name}");
                return Err(Refusal::Input { param: wire_name.clone(), message });
            }
            None => {}
        }
    }
    Ok(found)
}

/// The value in the type `kind`: queries and forms have only texts.
fn fit(kind: Type, value: Value) -> Option<Value> {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    match (kind, value) {
        (Type::Any, value) => Some(value),
        (Type::String, value) => scalar_text(&value).map(Value::String),
        (Type::Integer, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (Type::Integer, value) => (value.is_i64() || value.is_u64()).then_some(value),
        (Type::Number, Value::String(text)) => parsed(&text).filter(Value::is_number),
        (Type::Number, value) => value.is_number().then_some(value),
        (Type::Boolean, Value::String(text)) => text.parse::<bool>().ok().map(Value::Bool),
        (Type::Boolean, value) => value.is_boolean().then_some(value),
        (Type::Object, Value::String(text)) => parsed(&text).filter(Value::is_object),
        (Type::Object, value) => value.is_object().then_some(value),
        // A list in a query is written as JSON, with commas, or as the one entry it has.
        (Type::Array, Value::String(text)) => Some(
            parsed(&text)
                .filter(Value::is_array)
                .unwrap_or_else(|| text.split(',').map(|entry| Value::String(entry.to_owned())).collect()),
        ),
        (Type::Array, value) => value.is_array().then_some(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_take_the_described_type() {
        assert_eq!(fit(Type::Integer, json!("2000")), Some(json!(2000)));
        assert_eq!(fit(Type::Number, json!("0.5")), Some(json!(0.5)));
        assert_eq!(fit(Type::Boolean, json!("true")), Some(json!(true)));
        assert_eq!(fit(Type::String, json!(7)), Some(json!("7")));
        assert_eq!(fit(Type::Array, json!("a,b")), Some(json!(["a", "b"])));
        assert_eq!(fit(Type::Array, json!("[{\"type\":\"section\"}]")), Some(json!([{ "type": "section" }])));
    }

    #[test]
    fn what_has_another_type_is_refused() {
        for (kind, value) in [
            (Type::Integer, json!("2.5")),
            (Type::Integer, json!(2.5)),
            (Type::Boolean, json!("yes")),
            (Type::Object, json!("text")),
            (Type::String, json!({})),
            (Type::Array, json!(7)),
        ] {
            assert_eq!(fit(kind, value.clone()), None, "{kind:?} {value}");
        }
    }
}
