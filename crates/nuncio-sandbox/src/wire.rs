//! Requests as they come, and the fields in their query and body.

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use serde_json::{Map, Value};

/// Steps of a name like `a[b][c]` that are taken apart; deeper ones stay in the last name.
const MAX_DEPTH: usize = 32;

/// A request to a service of the sandbox.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    /// Under the service, percent-encoded, such as `/v1/customers`.
    pub(crate) path: String,
    /// The whole path, with the service's name before it.
    pub(crate) full_path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    /// The value of a header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The fields of the query and of the body; the body's win.
    pub(crate) fn fields(&self) -> Result<Map<String, Value>, String> {
        let mut fields = pairs(self.query.as_deref().unwrap_or_default().as_bytes());
        fields.extend(self.body_fields()?);
        Ok(fields)
    }

    /// The fields of a form or JSON body. Other bodies have none.
    pub(crate) fn body_fields(&self) -> Result<Map<String, Value>, String> {
        let media_type = self.header(header::CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
        if self.body.is_empty() {
            Ok(Map::new())
        } else if media_type.starts_with("application/x-www-form-urlencoded") {
            Ok(pairs(&self.body))
        } else if media_type.contains("json") {
            match serde_json::from_slice(&self.body) {
                Ok(Value::Object(fields)) => Ok(fields),
                Ok(_) => Err("the body is no object".to_owned()),
                Err(error) => Err(format!("the body is no JSON: {error}")),
            }
        } else {
            Ok(Map::new())
        }
    }
}

/// The fields of `a[b]=c&items[0][price]=p&expand[]=x`.
fn pairs(encoded: &[u8]) -> Map<String, Value> {
    let mut root = Value::Object(Map::new());
    for (name, text) in form_urlencoded::parse(encoded) {
        let (first, rest) = name.split_once('[').unwrap_or((&name, ""));
        let inner = rest.strip_suffix(']').unwrap_or(rest);
        let mut steps = vec![first];
        if name.contains('[') {
            steps.extend(inner.splitn(MAX_DEPTH, "]["));
        }
        insert(&mut root, &steps, text.into_owned());
    }
    match lists(root) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn insert(node: &mut Value, steps: &[&str], text: String) {
    match steps {
        [] => match node {
            Value::Null => *node = Value::String(text),
            Value::Array(items) => items.push(Value::String(text)),
            earlier => *earlier = Value::Array(vec![earlier.take(), Value::String(text)]),
        },
        ["", rest @ ..] => {
            if !node.is_array() {
                *node = Value::Array(Vec::new());
            }
            if let Value::Array(items) = node {
                let mut item = Value::Null;
                insert(&mut item, rest, text);
                items.push(item);
            }
        }
        [key, rest @ ..] => {
            if !node.is_object() {
                *node = Value::Object(Map::new());
            }
            if let Value::Object(map) = node {
                insert(map.entry(*key).or_insert(Value::Null), rest, text);
            }
        }
    }
}

/// Objects whose keys are all numbers are lists, except the outermost.
fn lists(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    let inner = map.into_iter().map(|(key, value)| {
        let value = match lists(value) {
            Value::Object(map) if !map.is_empty() && map.keys().all(|key| key.parse::<u32>().is_ok()) => {
                let mut items: Vec<(String, Value)> = map.into_iter().collect();
                items.sort_by_key(|(key, _)| key.parse::<u32>().unwrap_or_default());
                Value::Array(items.into_iter().map(|(_, value)| value).collect())
            }
            other => other,
        };
        (key, value)
    });
    Value::Object(inner.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(text: &str) -> Value {
        Value::Object(pairs(text.as_bytes()))
    }

    #[test]
    fn brackets_are_objects_and_lists() {
        assert_eq!(
            fields(
                "email=a%40b&metadata[plan]=gold&items[0][price]=p1&items[1][price]=p2&expand[]=x&expand[]=y"
            ),
            json!({
                "email": "a@b", "metadata": {"plan": "gold"}, "items": [{"price": "p1"}, {"price": "p2"}], "expand": ["x", "y"]
            })
        );
    }

    #[test]
    fn a_repeated_name_is_a_list() {
        assert_eq!(fields("id=1&id=2&id=3"), json!({"id": ["1", "2", "3"]}));
    }

    #[test]
    fn brackets_beyond_the_bound_do_no_harm() {
        let deep = format!("a{}=x", "[b]".repeat(100_000));
        assert!(fields(&deep)["a"]["b"].is_object());
    }
}
