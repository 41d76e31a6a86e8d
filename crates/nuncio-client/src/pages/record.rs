//! One record, as the server wrote it.

use std::borrow::Cow;

use bytes::Bytes;
use memchr::memchr2;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{Error, Kind, excerpt, json};

/// The JSON of one record, byte for byte as it came: not parsed, no digit touched. Cloning is cheap.
///
/// It keeps the piece of the body that it came with in memory; whoever keeps few of many records copies them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(Bytes);

impl Record {
    /// `json` must be one JSON value in UTF-8.
    pub(super) fn checked(json: Bytes) -> Self {
        Self(json)
    }

    /// A record of one's own, for what takes records: one that was made of others.
    ///
    /// # Errors
    /// [`Kind::Decode`] when `json` is not one JSON value.
    pub fn from_json(json: impl Into<Bytes>) -> Result<Self, Error> {
        let json = json.into();
        match serde_json::from_slice::<&RawValue>(&json) {
            Ok(_) => Ok(Self(json)),
            Err(source) => {
                let message = format!("a record is not JSON: {}", excerpt(&json));
                Err(Error::new(Kind::Decode, message).because(source))
            }
        }
    }

    /// The JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked when the body was split")
    }

    /// The bytes of the JSON, which are UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same, to be kept without a copy.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The JSON on one line, as a file of JSON lines needs it.
    #[must_use]
    pub fn line(&self) -> Cow<'_, [u8]> {
        // JSON strings hold no line ends, so these are white space wherever they stand.
        let is_line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        if memchr2(b'\n', b'\r', &self.0).is_some() {
            Cow::Owned(self.0.iter().copied().filter(|byte| !is_line_end(byte)).collect())
        } else {
            Cow::Borrowed(&self.0)
        }
    }

    /// The record as a `T`. `Box<RawValue>` and types with `&RawValue` fields keep all digits of numbers.
    ///
    /// # Errors
    /// [`Kind::Decode`] when it does not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.0).map_err(|source| {
            let message = format!("a record does not fit its type: {}", excerpt(&self.0));
            Error::new(Kind::Decode, message).because(source)
        })
    }

    /// The JSON at `path` within the record, if anything stands there.
    #[must_use]
    pub fn at(&self, path: &json::Path) -> Option<&RawValue> {
        path.raw(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: &'static str) -> Record {
        Record::checked(Bytes::from_static(json.as_bytes()))
    }

    #[test]
    fn a_record_over_several_lines_is_put_on_one() {
        assert_eq!(&*record("{\r\n  \"a\": \"x\\n\"\n}").line(), b"{  \"a\": \"x\\n\"}");
        assert!(matches!(record("{\"a\": 1}").line(), Cow::Borrowed(_)));
    }

    #[test]
    fn a_record_of_ones_own_is_one_json_value() {
        assert_eq!(Record::from_json("{\"a\": 1}").unwrap().as_str(), "{\"a\": 1}");
        for wrong in ["", "{", "1 2", "NaN"] {
            assert_eq!(Record::from_json(wrong).unwrap_err().kind(), Kind::Decode, "{wrong}");
        }
    }

    #[test]
    fn numbers_keep_every_digit() {
        let record = record(r#"{"id":98765432109876543210987,"d":1234567890.1234567890123}"#);
        let path: json::Path = "d".parse().unwrap();
        assert_eq!(record.at(&path).unwrap().get(), "1234567890.1234567890123");
        assert_eq!(record.parse::<Box<RawValue>>().unwrap().get(), record.as_str());
    }

    #[test]
    fn a_record_that_does_not_fit_is_shown() {
        let error = record(r#"{"id":"seven"}"#).parse::<Vec<u8>>().unwrap_err();
        assert_eq!(error.kind(), Kind::Decode);
        assert_eq!(error.to_string(), r#"a record does not fit its type: {"id":"seven"}"#);
    }
}
