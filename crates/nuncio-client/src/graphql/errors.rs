//! The errors in an answer.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::cost::Cost;
use super::response::Envelope;
use crate::json::{self, Path};
use crate::{Redactor, excerpt};

/// One entry of `errors` (GraphQL specification, section 7.1.2), read leniently: servers also send bare strings.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Error {
    /// What went wrong, for a developer.
    pub message: String,
    /// The field of the answer that it is about, from `data` on; the root where none is named.
    pub path: Path,
    /// Where in the document.
    pub locations: Vec<Location>,
    /// What the service adds.
    pub extensions: Map<String, Value>,
    /// `extensions.code`, which most servers send, or `code` or `type` of the entry itself, as GitHub has it.
    pub code: Option<String>,
}

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Location {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// By these codes servers say that they did nothing because of a limit: Shopify, GitHub (three ways), Linear.
const THROTTLED: [&str; 5] = ["THROTTLED", "RATE_LIMITED", "RATE_LIMIT", "GRAPHQL_RATE_LIMIT", "RATELIMITED"];

impl Error {
    fn of(entry: &Value) -> Self {
        // A bare string is its own message.
        let message = [&entry["message"], entry].into_iter().find_map(json::scalar_text);
        let code = [&entry["extensions"]["code"], &entry["code"], &entry["type"]];
        let locations = entry["locations"].as_array().into_iter().flatten();
        Self {
            message: message.unwrap_or_else(|| excerpt(entry.to_string().as_bytes())),
            path: entry["path"].as_array().into_iter().flatten().filter_map(json::scalar_text).collect(),
            locations: locations.filter_map(|it| Location::deserialize(it).ok()).collect(),
            extensions: entry["extensions"].as_object().cloned().unwrap_or_default(),
            code: code.into_iter().find_map(json::scalar_text),
        }
    }

    fn is_throttled(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        THROTTLED.iter().any(|throttled| code.eq_ignore_ascii_case(throttled))
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|entry| Self::of(&entry))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The server may echo what it was sent in any of its words.
        let redactor = Redactor::global();
        f.write_str(&redactor.redact(&self.message))?;
        if let Some(code) = &self.code {
            write!(f, " ({})", redactor.redact(code))?;
        }
        if self.path != Path::ROOT {
            return write!(f, " at {}", redactor.redact(&self.path.to_string()));
        }
        match self.locations.first() {
            Some(Location { line, column }) => write!(f, " at line {line}, column {column}"),
            None => Ok(()),
        }
    }
}

/// The errors of an answer, with the data that came beside them. The cause of a [`Kind::GraphQl`](crate::Kind::GraphQl) error:
///
/// ```
/// use bytes::Bytes;
/// use http::{HeaderMap, StatusCode};
/// use nuncio_client::{Answer, graphql};
///
/// let body = r#"{
///     "data": {"hero": {"name": "R2-D2", "age": null}},
///     "errors": [{"message": "not known", "path": ["hero", "age"], "extensions": {"code": "NOT_FOUND"}}]
/// }"#;
/// let answer = Answer::new(StatusCode::OK, HeaderMap::new(), Bytes::from(body));
/// let error = graphql::failure(&answer).unwrap();
/// assert_eq!(error.to_string(), "the GraphQL answer has 1 error beside partial data");
/// assert_eq!(error.code(), Some("NOT_FOUND"));
///
/// let errors = error.cause::<graphql::Errors>().unwrap();
/// assert_eq!(errors.to_string(), "not known (NOT_FOUND) at hero.age");
/// assert!(errors.data().unwrap().get().contains("R2-D2"));
/// ```
#[derive(Clone)]
pub struct Errors {
    list: Vec<Error>,
    data: Option<Box<RawValue>>,
    cost: Option<Cost>,
    well_formed: bool,
}

const SHOWN: usize = 3;

impl Errors {
    /// The errors in `body`; nothing when it has none or is not the JSON of a GraphQL answer.
    #[must_use]
    pub fn of(body: &[u8]) -> Option<Self> {
        Self::within(&Envelope::of(body)?)
    }

    pub(super) fn within(envelope: &Envelope<'_>) -> Option<Self> {
        let entries = entries(envelope.errors?);
        if entries.is_empty() {
            return None;
        }
        Some(Self {
            well_formed: entries.iter().all(|entry| entry["message"].is_string()),
            list: entries.iter().map(Error::of).collect(),
            data: envelope.data.map(ToOwned::to_owned),
            cost: envelope.bucket(),
        })
    }

    /// Whether they are as the specification has them.
    pub(super) fn are_well_formed(&self) -> bool {
        self.well_formed
    }

    /// Each of them, in the server's order. Never empty.
    #[must_use]
    pub fn list(&self) -> &[Error] {
        &self.list
    }

    /// What the server could answer nevertheless, as it wrote it; nothing when that is null.
    #[must_use]
    pub fn data(&self) -> Option<&RawValue> {
        self.data.as_deref()
    }

    /// Whether the server did nothing because of a limit. With data, or an error within it, something was done, and the answer is no.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.data.is_none() && self.list.iter().any(|error| error.is_throttled() && error.path == Path::ROOT)
    }

    /// The points that the request needs and that are there, where the answer tells them.
    #[must_use]
    pub fn cost(&self) -> Option<&Cost> {
        self.cost.as_ref()
    }
}

/// Whatever is there instead of a list is one error; nothing, `null` and `false` are none.
fn entries(errors: &RawValue) -> Vec<Value> {
    match serde_json::from_str(errors.get()) {
        Ok(Value::Null | Value::Bool(false)) => Vec::new(),
        Ok(Value::Array(entries)) => entries,
        Ok(other) => vec![other],
        // Nested too deeply to be read.
        Err(_) => vec![Value::from(errors.get())],
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.list.iter().take(SHOWN).map(ToString::to_string).collect();
        f.write_str(&shown.join("; "))?;
        match self.list.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// As `Display`, which blanks secrets: the data may be long and is the caller's.
impl fmt::Debug for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Errors({self})")
    }
}

impl std::error::Error for Errors {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn errors(body: &Value) -> Option<Errors> {
        Errors::of(body.to_string().as_bytes())
    }

    fn shown(errors_member: &Value) -> String {
        errors(&json!({ "errors": errors_member })).unwrap().to_string()
    }

    #[test]
    fn an_error_is_read_whole() {
        let errors = errors(&json!({"errors": [{
            "message": "denied",
            "path": ["orders", 0, "total"],
            "locations": [{"line": 3, "column": 5}],
            "extensions": {"code": "FORBIDDEN", "scope": "read_orders"},
        }]}))
        .unwrap();
        let error = &errors.list()[0];
        assert_eq!(error.message, "denied");
        assert_eq!(error.path.to_string(), "orders.0.total");
        assert_eq!(error.locations, [Location { line: 3, column: 5 }]);
        assert_eq!(error.code.as_deref(), Some("FORBIDDEN"));
        assert_eq!(error.extensions["scope"], "read_orders");
    }

    #[test]
    fn a_code_is_found_where_servers_put_it() {
        let code = |entry: &Value| errors(&json!({"errors": [entry]})).unwrap().list()[0].code.clone();
        assert_eq!(
            code(&json!({"message": "", "extensions": {"code": "A"}, "type": "B"})).as_deref(),
            Some("A")
        );
        assert_eq!(code(&json!({"message": "", "code": 17, "type": "B"})).as_deref(), Some("17"));
        assert_eq!(code(&json!({"message": "", "type": "NOT_FOUND"})).as_deref(), Some("NOT_FOUND"));
        assert_eq!(code(&json!({"message": ""})), None);
    }

    #[test]
    fn malformed_errors_are_errors_all_the_same() {
        assert_eq!(shown(&json!(["plain text", 7])), "plain text; 7");
        assert_eq!(shown(&json!("Not Found")), "Not Found");
        assert_eq!(shown(&json!({"message": "no list"})), "no list");
        assert_eq!(shown(&json!({"email": ["is taken"]})), r#"{"email":["is taken"]}"#);
        assert_eq!(
            shown(&json!([{"msg": "x", "path": "a.b", "locations": 3}])),
            r#"{"msg":"x","path":"a.b","locations":3}"#
        );
        assert_eq!(shown(&json!([["a"]])), r#"["a"]"#);
        assert_eq!(shown(&json!([{"message": "x", "path": ["a", null, {}, "b"]}])), "x at a.b");
    }

    #[test]
    fn no_errors_are_none() {
        for errors_member in [json!(null), json!([]), json!(false)] {
            assert!(errors(&json!({"errors": errors_member, "data": {}})).is_none(), "{errors_member}");
        }
        for body in ["", "[]", "<html>", "{\"data\":{}}", "{\"errors\":[1]"] {
            assert!(Errors::of(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn the_place_in_the_document_is_shown_when_no_field_is_named() {
        assert_eq!(
            shown(&json!([{"message": "syntax", "locations": [{"line": 1, "column": 9}]}])),
            "syntax at line 1, column 9"
        );
    }

    #[test]
    fn a_secret_that_the_server_echoes_is_blanked() {
        let _secret = crate::Secret::from("made-up-graphql-token");
        let errors = errors(&json!({"errors": ["bad token made-up-graphql-token"]})).unwrap();
        assert_eq!(errors.to_string(), "bad token ***");
        assert_eq!(format!("{errors:?}"), "Errors(bad token ***)");
        let (token, field) = ("made-up-graphql-token", "a");
        let everywhere = json!([{"message": "x", "code": token, "path": [field, token]}]);
        assert_eq!(shown(&everywhere), "x (***) at a.***");
    }

    #[test]
    fn many_errors_are_counted_rather_than_shown() {
        assert_eq!(shown(&json!(["a", "b", "c", "d", "e"])), "a; b; c; and 2 more");
    }

    #[test]
    fn partial_data_keeps_its_digits() {
        let body = br#"{"errors": ["x"], "data": {"total": 0.10}}"#;
        assert_eq!(Errors::of(body).unwrap().data().unwrap().get(), r#"{"total": 0.10}"#);
        assert!(Errors::of(br#"{"errors": ["x"], "data": null}"#).unwrap().data().is_none());
    }

    #[test]
    fn throttling_is_known_by_the_codes_of_those_who_throttle() {
        for entry in [
            json!({"message": "Throttled", "extensions": {"code": "THROTTLED"}}),
            json!({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}),
            json!({"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": "already exceeded"}),
            json!({"message": "slower", "extensions": {"code": "RATELIMITED"}}),
        ] {
            assert!(errors(&json!({"errors": [entry]})).unwrap().is_throttled(), "{entry}");
        }
        assert!(!errors(&json!({"errors": [{"message": "Throttled"}]})).unwrap().is_throttled());
    }

    #[test]
    fn what_was_done_in_part_was_not_rejected() {
        let throttled = json!({"message": "", "path": ["b"], "extensions": {"code": "RATE_LIMITED"}});
        assert!(!errors(&json!({"errors": [throttled], "data": null})).unwrap().is_throttled());
        let throttled = json!({"message": "", "extensions": {"code": "RATE_LIMITED"}});
        assert!(!errors(&json!({"errors": [throttled], "data": {"a": 1}})).unwrap().is_throttled());
    }

    proptest! {
        #[test]
        fn no_body_panics(body in "\\{(\"(data|errors|extensions|message|path)\"|:|\\[|\\]|\\{|\\}|,|1|null|\"a\"){0,20}\\}") {
            if let Some(errors) = Errors::of(body.as_bytes()) {
                prop_assert!(!errors.list().is_empty());
                let _ = errors.to_string();
            }
        }
    }
}
