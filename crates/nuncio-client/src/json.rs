//! Places in a JSON document.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Error;
use crate::pages::{MAX_DEPTH, whole};

/// Where something stands in a JSON document, written with dots: `data.items`, `errors.0.code`.
///
/// A step is a key of an object or, in an array, a number from 0. `\.` is a dot within a key. The empty path and `.` are the
/// document itself.
///
/// ```
/// use nuncio_client::json::Path;
///
/// let path: Path = "error.code".parse()?;
/// let body = serde_json::json!({"error": {"code": "card_declined"}});
/// assert_eq!(path.text(&body).as_deref(), Some("card_declined"));
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Path(Vec<String>);

impl Path {
    /// The document itself.
    pub const ROOT: Self = Self(Vec::new());

    /// The steps from the root.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.0
    }

    /// The place at `step` within this one.
    #[must_use]
    pub fn step(&self, step: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.to_owned());
        Self(steps)
    }

    /// What stands there, if anything does.
    #[must_use]
    pub fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, step| match value {
            Value::Object(map) => map.get(step),
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The JSON that stands there, as it is written in `document`; of keys that come twice the last one counts.
    #[must_use]
    pub fn raw<'a>(&self, document: &'a str) -> Option<&'a RawValue> {
        let document = serde_json::from_str(document).ok()?;
        self.0.iter().try_fold(document, |value: &RawValue, step| {
            if value.get().starts_with('[') {
                let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
                items.get(step.parse::<usize>().ok()?).copied()
            } else {
                let mut map: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(value.get()).ok()?;
                map.remove(step.as_str())
            }
        })
    }

    /// What stands there as text: a string as it is, a number or boolean as written; nothing for null, arrays and objects.
    #[must_use]
    pub fn text(&self, document: &Value) -> Option<String> {
        scalar_text(self.get(document)?)
    }
}

/// The length of the JSON value (RFC 8259) that `text` begins with, white space before it included, which nests no deeper than `max_depth`.
/// Nothing is built, so this is the fast way over what nobody wants to know. `max_depth` is at most 128.
///
/// Nothing for what is not JSON, and for a value that may go on behind `text`: a number at its very end.
///
/// ```
/// use nuncio_client::json::value_length;
///
/// assert_eq!(value_length(br#"{"a": [1]}, 2"#, 128), Some(10));
/// assert_eq!(value_length(br#"{"a": [1]}, 2"#, 1), None);
/// assert_eq!(value_length(b"12", 128), None);
/// ```
#[must_use]
pub fn value_length(text: &[u8], max_depth: u32) -> Option<usize> {
    whole::value(text, max_depth.min(MAX_DEPTH))
}

/// How deep arrays and objects nest in `json`, which need not be JSON: what stands in texts does not count.
///
/// ```
/// assert_eq!(nuncio_client::json::depth(br#"{"a": [1, "[[["]}"#), 2);
/// ```
#[must_use]
pub fn depth(json: &[u8]) -> u32 {
    let (mut depth, mut deepest, mut in_text, mut is_escaped) = (0_u32, 0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A string as it is, a number or boolean as JSON writes it; nothing for null, arrays and objects.
#[must_use]
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl FromStr for Path {
    type Err = Error;

    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for an empty step, as in `a..b`.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.is_empty() || text == "." {
            return Ok(Self::ROOT);
        }
        let mut steps = vec![String::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' if chars.peek() == Some(&'.') => {
                    steps.last_mut().expect("never empty").extend(chars.next());
                }
                '.' => steps.push(String::new()),
                other => steps.last_mut().expect("never empty").push(other),
            }
        }
        if steps.iter().any(String::is_empty) {
            return Err(Error::configuration(format!("the path {text:?} has an empty step"))
                .advise("write steps with one dot between them, such as data.items"));
        }
        Ok(Self(steps))
    }
}

impl FromIterator<String> for Path {
    fn from_iter<I: IntoIterator<Item = String>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        let steps: Vec<String> = self.0.iter().map(|step| step.replace('.', "\\.")).collect();
        f.write_str(&steps.join("."))
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_survives_being_written_and_read() {
        for text in [".", "data", "data.items.0.id", r"a\.b.c"] {
            let path: Path = text.parse().expect(text);
            assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn an_empty_step_is_refused() {
        assert!("a..b".parse::<Path>().is_err());
        assert!("a.".parse::<Path>().is_err());
    }

    #[test]
    fn null_has_no_text() {
        let body = serde_json::json!({"next": null, "n": 12, "ok": false});
        let text = |path: &str| path.parse::<Path>().expect(path).text(&body);
        assert_eq!(text("next"), None);
        assert_eq!(text("n").as_deref(), Some("12"));
        assert_eq!(text("ok").as_deref(), Some("false"));
    }

    #[test]
    fn raw_json_is_found_as_it_is_written() {
        let body = r#"{"a": [1, {"b\u002ec": 1.10}], "n": null}"#;
        let raw = |path: &str| path.parse::<Path>().expect(path).raw(body).map(RawValue::get);
        assert_eq!(raw(r"a.1.b\.c"), Some("1.10"));
        assert_eq!(raw("n"), Some("null"));
        assert_eq!(raw("a.2"), None);
        assert_eq!(raw("n.x"), None);
        assert_eq!(raw("."), Some(body));
    }
}
