//! What a call is made with, checked before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::HeaderValue;
use jsonschema::Validator;
use nuncio_client::{Body, Error, Kind};
use serde_json::{Map, Value};

use crate::model::{Input, Operation, Place, Target, Type};
use crate::schema;
use crate::suggest::unknown;

/// A value for an input, as the caller has it.
#[derive(Debug)]
pub enum Given {
    /// Text that becomes a value of the input's type, as from a command line or a CSV file: `100` is a number for an `integer`.
    Text(String),
    /// A value with a type of its own, which must be the input's.
    Json(Value),
    /// A file, for an input with `in: file`.
    File(File),
}

/// The content of a file that is sent.
#[derive(Debug)]
pub struct File {
    /// Its name, as the server is told.
    pub name: String,
    /// Its content. One that can be read only once cannot be sent.
    pub content: Body,
    /// Length in bytes, where it is known.
    pub length: Option<u64>,
    /// Media type. Default: `application/octet-stream`.
    pub media_type: Option<HeaderValue>,
}

impl File {
    /// A file that is held in memory.
    pub fn new(name: impl Into<String>, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let length = Some(content.len() as u64);
        Self { name: name.into(), content: Body::Bytes(content), length, media_type: None }
    }
}

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl From<&str> for Given {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<File> for Given {
    fn from(file: File) -> Self {
        Self::File(file)
    }
}

/// What a call is made with, by the names of the inputs.
///
/// ```
/// use nuncio_service::Inputs;
///
/// let some = Inputs::from([("email", "ada@example.com"), ("balance", "100")]);
/// let typed = Inputs::from_json(serde_json::json!({"balance": 100}))?;
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Inputs(BTreeMap<String, Given>);

impl Inputs {
    /// No inputs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The inputs in a JSON object.
    ///
    /// # Errors
    /// [`Kind::Validation`] for JSON that is no object.
    pub fn from_json(value: Value) -> Result<Self, Error> {
        match value {
            Value::Object(map) => Ok(Self::from_iter(map)),
            other => {
                Err(Error::new(Kind::Validation, format!("the inputs are {}, not an object", named(&other))))
            }
        }
    }

    /// Gives a value, in place of one of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Given>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }
}

impl<N: Into<String>, V: Into<Given>> FromIterator<(N, V)> for Inputs {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(inputs: T) -> Self {
        Self(inputs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<N: Into<String>, V: Into<Given>, const LEN: usize> From<[(N, V); LEN]> for Inputs {
    fn from(inputs: [(N, V); LEN]) -> Self {
        Self::from_iter(inputs)
    }
}

/// Inputs that fit their operation, defaults added.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Checked {
    /// The values by name.
    pub values: Map<String, Value>,
    /// The files by name.
    pub files: BTreeMap<String, File>,
}

/// The inputs of an operation, made ready to check many calls.
pub(crate) struct Checker {
    /// Of the inputs that hold to more than a type.
    validators: BTreeMap<String, Validator>,
    /// The inputs that every call must give.
    required: BTreeSet<String>,
}

impl Checker {
    pub(crate) fn new(operation: &Operation) -> Result<Self, Error> {
        let compile = |(name, input): (&String, &Input)| {
            let validator = schema::compile(&input.json_schema())
                .map_err(|message| Error::configuration(format!("the input {name}: {message}")))?;
            Ok((name.clone(), validator))
        };
        let with_schema = operation.input.iter().filter(|(_, input)| !input.schema.is_empty());
        let required = operation.input.keys().filter(|name| operation.requires(name)).cloned();
        Ok(Self {
            validators: with_schema.map(compile).collect::<Result<_, Error>>()?,
            required: required.collect(),
        })
    }

    pub(crate) fn check(&self, operation: &Operation, inputs: Inputs) -> Result<Checked, Error> {
        let mut checked = Checked::default();
        let mut mistakes = Vec::new();
        for (name, given) in inputs.0 {
            if let Err(mistake) = self.take(operation, &name, given, &mut checked) {
                mistakes.push(mistake);
            }
        }
        for (name, input) in &operation.input {
            let is_given = checked.values.contains_key(name) || checked.files.contains_key(name);
            if is_given {
                continue;
            }
            match &input.default {
                Some(default) => drop(checked.values.insert(name.clone(), default.clone())),
                None if self.required.contains(name)
                    && !mistakes.iter().any(|mistake| mistake.is_about(name)) =>
                {
                    mistakes.push(Mistake::about(name, "is missing"));
                }
                None => {}
            }
        }
        if mistakes.is_empty() { Ok(checked) } else { Err(refusal(&mistakes)) }
    }

    fn take(
        &self,
        operation: &Operation,
        name: &str,
        given: Given,
        checked: &mut Checked,
    ) -> Result<(), Mistake> {
        let Some(input) = operation.input.get(name) else {
            let known: Vec<&str> = operation.input.keys().map(String::as_str).collect();
            return Err(Mistake { name: name.to_owned(), text: unknown("input", name, &known) });
        };
        let value = match (given, input.place) {
            (Given::File(file), Some(Place::File)) => {
                checked.files.insert(name.to_owned(), file);
                return Ok(());
            }
            (Given::File(_), _) => return Err(Mistake::about(name, "takes no file")),
            (Given::Text(text), Some(Place::File)) => {
                checked.files.insert(name.to_owned(), File::new(name, text));
                return Ok(());
            }
            (Given::Json(_), Some(Place::File)) => return Err(Mistake::about(name, "takes a file")),
            (Given::Text(text), _) => input.read(&text).map_err(|text| Mistake::about(name, text))?,
            (Given::Json(value), _) => value,
        };
        if !input.kind.holds(&value) {
            let text = format!("takes {}, not {}", input.kind.article(), named(&value));
            return Err(Mistake::about(name, text));
        }
        let misfits = self.validators.get(name).map(|validator| schema::misfits(validator, &value));
        match misfits.filter(|misfits| !misfits.is_empty()) {
            Some(misfits) => Err(Mistake::about(name, format!("does not fit: {}", misfits.join(", ")))),
            None => {
                checked.values.insert(name.to_owned(), value);
                Ok(())
            }
        }
    }
}

struct Mistake {
    name: String,
    text: String,
}

impl Mistake {
    fn about(name: &str, text: impl AsRef<str>) -> Self {
        Self { name: name.to_owned(), text: format!("`{name}` {}", text.as_ref()) }
    }

    fn is_about(&self, name: &str) -> bool {
        self.name == name
    }
}

fn refusal(mistakes: &[Mistake]) -> Error {
    let texts: Vec<&str> = mistakes.iter().map(|mistake| mistake.text.as_str()).collect();
    Error::new(Kind::Validation, texts.join("; ")).evidence_is(nuncio_client::Evidence::NeverSent)
}

fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Operation {
    /// Checks `inputs` against the types and schemas of the operation's inputs, and adds defaults.
    ///
    /// # Errors
    /// [`Kind::Validation`] that lists everything that does not fit; [`Kind::Configuration`] when the operation was not loaded from a
    /// file and its schemas are wrong.
    pub fn check(&self, inputs: Inputs) -> Result<Checked, Error> {
        Checker::new(self)?.check(self, inputs)
    }

    /// Whether every call must give the input `name`: it says so, or it is in the path.
    #[must_use]
    pub fn requires(&self, name: &str) -> bool {
        let Some(input) = self.input.get(name) else { return false };
        let is_in_path = || match self.target() {
            Some(Target::Http { path, .. }) => path.contains(&format!("{{{name}}}")),
            _ => false,
        };
        input.default.is_none() && (input.required || is_in_path())
    }
}

impl Input {
    /// The value that `text` stands for: of the input's type, and JSON for an object or a list.
    ///
    /// # Errors
    /// What the text should have been.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        let json = || serde_json::from_str::<Value>(text).ok();
        let value = match self.kind {
            Type::String | Type::Any => Some(Value::from(text)),
            // Not by way of a float, which would take 1e3 and round what is long.
            Type::Integer => text
                .parse::<i64>()
                .map(Value::from)
                .or_else(|_| text.parse::<u64>().map(Value::from))
                .ok()
                // Nothing but its digits: 007 and +1 are no JSON numbers.
                .filter(|value: &Value| *text == *value.to_string()),
            Type::Number => json().filter(Value::is_number),
            Type::Boolean => json().filter(Value::is_boolean),
            Type::Object => json().filter(Value::is_object),
            Type::Array => json().filter(Value::is_array),
        };
        value.ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let hint = match self.kind {
                Type::Object | Type::Array => ", written as JSON",
                Type::Boolean => ", true or false",
                _ => "",
            };
            format!("takes {}{hint}, not {shown:?}", self.kind.article())
        })
    }
}

impl Type {
    fn article(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Object => "an object",
            Self::Array => "a list",
            Self::Any => "anything",
        }
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            // JSON Schema's integers: 1.0 is one.
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operation() -> Operation {
        let inputs = json!({
            "id": "string",
            "amount": "integer!",
            "rate": "number",
            "live": "boolean",
            "tags": "array",
            "meta": "object",
            "note": "any",
            "size": { "type": "integer", "default": 10, "maximum": 100 },
            "mode": { "enum": ["fast", "slow"] },
            "address": { "type": "object", "properties": { "zip": { "type": "string", "minLength": 5 } } },
            "proof": { "in": "file" },
        });
        serde_json::from_value(json!({ "post": "/v1/things/{id}", "input": inputs })).expect("an operation")
    }

    fn checked<const N: usize>(given: [(&str, &str); N]) -> Result<Value, String> {
        let values = operation().check(Inputs::from(given)).map_err(|error| error.to_string())?.values;
        Ok(Value::Object(values))
    }

    fn of_json(given: Value) -> Result<Value, String> {
        let checked = operation().check(Inputs::from_json(given).expect("an object"));
        Ok(Value::Object(checked.map_err(|error| error.to_string())?.values))
    }

    #[test]
    fn text_becomes_a_value_of_the_declared_type() {
        let given = [
            ("id", "42"),
            ("amount", "-100"),
            ("rate", "1.5e3"),
            ("live", "false"),
            ("tags", r#"["a", 1]"#),
            ("meta", r#"{"a": null}"#),
            ("note", "1"),
        ];
        let expected = json!({
            "id": "42", "amount": -100, "rate": 1500.0, "live": false, "tags": ["a", 1], "meta": {"a": null}, "note": "1", "size": 10
        });
        assert_eq!(checked(given), Ok(expected));
    }

    #[test]
    fn text_that_is_not_of_the_type_is_refused() {
        let refused =
            |name: &str, text: &str| checked([("id", "1"), ("amount", "1"), (name, text)]).unwrap_err();
        for text in ["1.0", "1e3", "+1", " 1", "007", "", "12345678901234567890123", "x"] {
            assert_eq!(refused("amount", text), format!("`amount` takes a whole number, not {text:?}"));
        }
        assert_eq!(refused("live", "yes"), "`live` takes a boolean, true or false, not \"yes\"");
        assert_eq!(refused("tags", "a,b"), "`tags` takes a list, written as JSON, not \"a,b\"");
    }

    #[test]
    fn json_is_not_turned_into_another_type() {
        assert_eq!(
            of_json(json!({"id": 1, "amount": "100"})),
            Err("`amount` takes a whole number, not text; `id` takes text, not a number".to_owned())
        );
        assert!(of_json(json!({"id": "1", "amount": 100})).is_ok());
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let error =
            checked([("amuont", "1"), ("mode", "turbo"), ("size", "101"), ("live", "x")]).unwrap_err();
        assert_eq!(
            error,
            "unknown input `amuont`, did you mean `amount`?; `live` takes a boolean, true or false, not \"x\"; \
             `mode` does not fit: the value is not one of \"fast\" or \"slow\"; \
             `size` does not fit: the value is greater than the maximum of 100; \
             `amount` is missing; `id` is missing"
        );
    }

    #[test]
    fn a_schema_inside_an_object_is_held_to() {
        let error = of_json(json!({"id": "1", "amount": 1, "address": {"zip": "123"}})).unwrap_err();
        assert_eq!(error, "`address` does not fit: at /zip: the value is shorter than 5 characters");
    }

    #[test]
    fn an_input_of_the_path_is_always_required() {
        assert!(operation().requires("id"));
        assert!(!operation().requires("note"));
    }

    #[test]
    fn a_file_goes_only_where_one_is_expected() {
        let with =
            |name: &str| Inputs::from([("id", "1"), ("amount", "1")]).with(name, File::new("a.txt", "hi"));
        assert_eq!(operation().check(with("proof")).expect("fits").files["proof"].name, "a.txt");
        assert_eq!(operation().check(with("note")).unwrap_err().to_string(), "`note` takes no file");
    }
}
