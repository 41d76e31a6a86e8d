//! Where in a list a page stands, and what is known once it was read.

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::{Redactor, excerpt, json, redact};

use super::{Record, Stop};

/// The place of a page: what a checkpoint keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// The first page, as the request asks for it.
    Start,
    /// The page of this number.
    Page(u64),
    /// The page behind this many records.
    Offset(u64),
    /// The page behind this cursor or record id: a JSON value, since a body may want it back as the number or object that it was.
    Cursor(Value),
    /// The page at this URL. Secrets in it are blanked when it is written down; what a request is signed with is put on again when
    /// it is sent.
    #[serde(serialize_with = "without_secrets")]
    Url(Url),
}

fn without_secrets<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Redactor::global().redact(url.as_str()))
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start => f.write_str("the first page"),
            Self::Page(number) => write!(f, "page {number}"),
            Self::Offset(offset) => write!(f, "offset {offset}"),
            Self::Cursor(value) => write!(f, "the cursor {}", excerpt(value.to_string().as_bytes())),
            Self::Url(url) => f.write_str(&redact::url(url)),
        }
    }
}

/// What to do after a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Ask for the page there.
    At(Position),
    /// Nothing more.
    End(Stop),
}

/// Where an answer says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the body, around the records.
    Body(json::Path),
    /// In a header.
    Header(HeaderName),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Body(path) => write!(f, "`{path}`"),
            Self::Header(name) => write!(f, "the header `{name}`"),
        }
    }
}

/// A page that was read: everything that decides about the next one.
#[derive(Debug, Clone, Copy)]
pub struct PageView<'a> {
    /// URL that it was asked for with.
    pub url: &'a Url,
    /// Headers of the answer.
    pub headers: &'a HeaderMap,
    /// The body without the records.
    pub envelope: &'a RawValue,
    /// Number of records on it.
    pub records: u64,
    /// Number of records so far, those on this page included.
    pub fetched: u64,
    /// Its last record.
    pub last: Option<&'a Record>,
}

impl PageView<'_> {
    /// What stands at `place`, unless that is null, `false` or an empty text.
    pub(super) fn value(&self, place: &Place) -> Option<Value> {
        match place {
            Place::Body(path) => exact(path.raw(self.envelope.get())?),
            Place::Header(name) => {
                let text = self.headers.get(name)?.to_str().ok()?.trim();
                (!text.is_empty()).then(|| Value::from(text))
            }
        }
    }

    /// The whole number at `place`, written as a number or as text.
    pub(super) fn number(&self, place: &Place) -> Option<u64> {
        json::scalar_text(&self.value(place)?)?.trim().parse().ok()
    }
}

/// The value of `json`, unless it is null, `false` or an empty text. A number that no machine number holds becomes its text, since a
/// rounded cursor would lead to another page.
pub(super) fn exact(json: &RawValue) -> Option<Value> {
    match serde_json::from_str(json.get()) {
        Ok(Value::Null | Value::Bool(false)) | Err(_) => None,
        Ok(Value::String(text)) if text.is_empty() => None,
        Ok(Value::Number(number)) if number.to_string() != json.get() => Some(json.get().into()),
        Ok(value) => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Secret;

    #[test]
    fn a_position_survives_being_written_and_read() {
        let url = Position::Url("https://api.example.com/items?page=2".parse().unwrap());
        let all = [
            (Position::Start, json!("start")),
            (Position::Page(2), json!({"page": 2})),
            (Position::Offset(40), json!({"offset": 40})),
            (Position::Cursor(json!({"id": [7, "x"]})), json!({"cursor": {"id": [7, "x"]}})),
            (url, json!({"url": "https://api.example.com/items?page=2"})),
        ];
        for (position, written) in all {
            assert_eq!(serde_json::to_value(&position).unwrap(), written);
            assert_eq!(serde_json::from_value::<Position>(written).unwrap(), position);
        }
    }

    #[test]
    fn a_secret_that_the_server_put_into_a_url_is_not_written_down() {
        let _secret = Secret::new("made-up-key-in-next-url");
        let url = "https://api.example.com/items?key=made-up-key-in-next-url&page=2";
        let written = serde_json::to_string(&Position::Url(url.parse().unwrap())).unwrap();
        assert_eq!(written, r#"{"url":"https://api.example.com/items?key=***&page=2"}"#);
    }

    #[test]
    fn a_number_keeps_its_digits() {
        let value = |json: &str| exact(&RawValue::from_string(json.to_owned()).unwrap());
        assert_eq!(value("18446744073709551615"), Some(json!(u64::MAX)));
        assert_eq!(value("98765432109876543210987"), Some(json!("98765432109876543210987")));
        assert_eq!(value("1.10"), Some(json!("1.10")));
        assert_eq!(value("0"), Some(json!(0)));
        assert_eq!([value("null"), value("\"\""), value("false")], [None, None, None]);
    }
}
