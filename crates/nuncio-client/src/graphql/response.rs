//! What comes back.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::errors::Error;

/// A GraphQL answer (GraphQL specification, section 7.1), to be read as JSON: `answer.json::<graphql::Response<T>>()`.
///
/// ```
/// use nuncio_client::graphql::Response;
///
/// #[derive(serde::Deserialize)]
/// struct Viewer { login: String }
///
/// let body = r#"{"data": {"login": "octocat"}}"#;
/// let response: Response<Viewer> = serde_json::from_str(body).unwrap();
/// assert_eq!(response.data.unwrap().login, "octocat");
/// assert!(response.errors.is_empty());
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
#[non_exhaustive]
pub struct Response<T> {
    /// What was asked for; partial beside `errors`, and nothing when the request failed as a whole.
    pub data: Option<T>,
    /// What went wrong. Empty in an answer that passed the checks.
    #[serde(default, deserialize_with = "none_for_null")]
    pub errors: Vec<Error>,
    /// What the service adds.
    #[serde(default, deserialize_with = "none_for_null")]
    pub extensions: Map<String, Value>,
}

fn none_for_null<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The members of an answer as they are written, so that looking for errors does not parse megabytes of data. Null counts as absent.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) errors: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) extensions: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    pub(super) fn of(body: &'a [u8]) -> Option<Self> {
        let json = body.trim_ascii_start();
        let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
        // A derived struct is also read from an array.
        json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(json).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_null_are_as_good_as_absent() {
        let response: Response<Value> =
            serde_json::from_str(r#"{"data": null, "errors": null, "extensions": null}"#).unwrap();
        assert!(response.data.is_none());
        assert!(response.errors.is_empty());
    }

    #[test]
    fn errors_and_partial_data_stand_side_by_side() {
        let body = r#"{"data": {"a": 1}, "errors": [{"message": "x"}], "extensions": {"cost": 2}}"#;
        let response: Response<Value> = serde_json::from_str(body).unwrap();
        assert_eq!(response.data.unwrap()["a"], 1);
        assert_eq!(response.errors[0].message, "x");
        assert_eq!(response.extensions["cost"], 2);
    }
}
