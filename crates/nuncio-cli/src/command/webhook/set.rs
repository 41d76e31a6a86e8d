//! `--set`: one field of a body, by its path.

use std::str::FromStr;

use nuncio_client::Error;
use nuncio_sandbox::events::Body;
use serde_json::{Map, Value};

/// One field, and what it becomes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Assignment {
    path: String,
    value: Given,
}

#[derive(Debug, Clone, PartialEq)]
enum Given {
    /// `=text`, which becomes what stood there: a number, a truth value, or a text.
    Text(String),
    /// `:=json`.
    Json(Value),
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, value) =
            text.split_once('=').ok_or_else(|| format!("{text:?}: write path=value, or path:=json"))?;
        let (path, value) = match path.strip_suffix(':') {
            Some(path) => {
                let json = serde_json::from_str(value)
                    .map_err(|error| format!("the value of {path} is not JSON: {error}"))?;
                (path, Given::Json(json))
            }
            None => (path, Given::Text(value.to_owned())),
        };
        if path.is_empty() || path.split('.').any(str::is_empty) {
            return Err(format!(
                "{path:?} is no path: write the names of members, and indexes, with dots between: data.object.amount"
            ));
        }
        Ok(Self { path: path.to_owned(), value })
    }
}

impl Assignment {
    pub(super) fn apply(&self, body: &mut Body) -> Result<(), Error> {
        match body {
            Body::Json(value) => {
                let place = self.find(value)?;
                *place = self.value.over(place);
                Ok(())
            }
            Body::Form(fields) => {
                let text = match &self.value {
                    Given::Text(text) => text.clone(),
                    Given::Json(Value::String(text)) => text.clone(),
                    Given::Json(other) => other.to_string(),
                };
                match fields.iter_mut().find(|(name, _)| *name == self.path) {
                    Some((_, value)) => *value = text,
                    None => fields.push((self.path.clone(), text)),
                }
                Ok(())
            }
        }
    }

    /// Where the path leads; members that are not there are made.
    fn find<'v>(&self, value: &'v mut Value) -> Result<&'v mut Value, Error> {
        let mut place = value;
        for step in self.path.split('.') {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            place = match place {
                Value::Object(members) => members.entry(step).or_insert(Value::Null),
                Value::Array(items) => {
                    let count = items.len();
                    let index = step.parse::<usize>().ok().filter(|index| *index < count);
                    let index = index.ok_or_else(|| {
                        self.leads_nowhere(&format!("{step} is no index of a list of {count}"))
                    })?;
                    &mut items[index]
                }
                _ => {
                    return Err(
                        self.leads_nowhere(&format!("before {step} stands a value that has no members"))
                    );
                }
            };
        }
        Ok(place)
    }

    fn leads_nowhere(&self, why: &str) -> Error {
        Error::configuration(format!("the path {} leads nowhere in this event: {why}", self.path))
            .advise("--dry-run shows the event")
    }
}

impl Given {
    /// What it is in the place of `old`: what was a text stays one, and so does anything that is no JSON.
    fn over(&self, old: &Value) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Text(text) if old.is_string() => text.as_str().into(),
            Self::Text(text) => match serde_json::from_str(text) {
                Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => value,
                _ => text.as_str().into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(texts: &[&str], value: Value) -> Result<Value, String> {
        let mut body = Body::Json(value);
        for text in texts {
            text.parse::<Assignment>()?.apply(&mut body).map_err(|error| error.to_string())?;
        }
        let Body::Json(value) = body else { panic!("no JSON") };
        Ok(value)
    }

    #[test]
    fn a_field_keeps_its_type_and_a_new_one_is_made() {
        let old = json!({ "amount": 1, "zip": "10115", "gone": null, "items": [{ "n": 1 }, { "n": 2 }] });
        let texts = ["amount=1500", "zip=1234", "gone=true", "items.1.n=7", "new.deep=a", "tags:=[\"x\"]"];
        let expected = json!({
            "amount": 1500, "zip": "1234", "gone": true, "items": [{ "n": 1 }, { "n": 7 }], "new": { "deep": "a" }, "tags": ["x"],
        });
        assert_eq!(set(&texts, old).unwrap(), expected);
    }

    #[test]
    fn a_path_that_leads_nowhere_is_told() {
        for (text, expected) in [
            ("items.9=1", "no index of a list of 1"),
            ("a.b=1", "has no members"),
            ("a..b=1", "is no path"),
            ("a", "path=value"),
        ] {
            let error = set(&[text], json!({ "items": [1], "a": 1 })).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_field_of_a_form_is_a_text() {
        let mut body = Body::Form(vec![("Body".to_owned(), "old".to_owned())]);
        for text in ["Body=new", "Count=2"] {
            text.parse::<Assignment>().unwrap().apply(&mut body).unwrap();
        }
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(body, Body::Form(vec![pair("Body", "new"), pair("Count", "2")]));
    }
}
