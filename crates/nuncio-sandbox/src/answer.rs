//! Answers before they are bytes.

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

/// An answer of a service.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Value>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: Option<Value>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), body }
    }

    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self::new(status, Some(body))
    }

    /// Sets a header; names and values that HTTP does not allow are left out.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn into_http(self) -> http::Response<Vec<u8>> {
        let bytes = self.body.map(|body| body.to_string().into_bytes());
        let mut response = http::Response::new(bytes.clone().unwrap_or_default());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if bytes.is_some() {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response
    }
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is answered.
    Answered(Answer),
    /// The connection is closed without an answer.
    Reset,
    /// The connection is closed in the middle of the answer.
    Truncated(Answer),
}

/// Puts `value` at the place of `steps` in `document`, making objects, and lists for numbers, on the way.
pub(crate) fn put(document: &mut Value, steps: &[String], value: Value) {
    let Some((step, rest)) = steps.split_first() else {
        *document = value;
        return;
    };
    match (step.parse::<usize>(), &mut *document) {
        (Ok(index), Value::Array(items)) if index < items.len() => put(&mut items[index], rest, value),
        (Ok(_), Value::Null | Value::Array(_)) => {
            let mut item = Value::Null;
            put(&mut item, rest, value);
            match document {
                Value::Array(items) => items.push(item),
                other => *other = Value::Array(vec![item]),
            }
        }
        (_, Value::Object(map)) => put(map.entry(step).or_insert(Value::Null), rest, value),
        _ => {
            let mut inner = Value::Null;
            put(&mut inner, rest, value);
            *document = Value::Object(Map::from_iter([(step.clone(), inner)]));
        }
    }
}

/// Lays `over` on `base`: objects are merged, all else is replaced.
pub(crate) fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_put_where_its_path_says() {
        let mut body = json!({ "ok": false });
        let steps = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
        put(&mut body, &steps("errors.0.message"), json!("no"));
        put(&mut body, &steps("errors.0.field"), json!("to"));
        assert_eq!(body, json!({ "ok": false, "errors": [{ "message": "no", "field": "to" }] }));
        put(&mut body, &[], json!([1]));
        assert_eq!(body, json!([1]));
    }

    #[test]
    fn merging_replaces_values_and_keeps_what_is_not_named() {
        let mut base = json!({ "name": "Ada", "metadata": { "plan": "gold" } });
        merge(&mut base, json!({ "name": "Ada L.", "metadata": { "seats": "3" } }));
        assert_eq!(base, json!({ "name": "Ada L.", "metadata": { "plan": "gold", "seats": "3" } }));
    }
}
