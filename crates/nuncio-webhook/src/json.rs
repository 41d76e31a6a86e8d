//! One value of a JSON text, found without building a tree.
//!
//! Text around it is skipped, so that neither its size nor an invalid byte in another value matters.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A text or a number.
pub(crate) enum Scalar {
    Text(String),
    /// As it is written.
    Number(String),
}

impl Scalar {
    pub(crate) fn into_text<'a>(self) -> Cow<'a, [u8]> {
        let (Self::Text(text) | Self::Number(text)) = self;
        Cow::Owned(text.into_bytes())
    }

    pub(crate) fn into_number<'a>(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Number(text) => Some(Cow::Owned(text.into_bytes())),
            Self::Text(_) => None,
        }
    }
}

/// The scalar at `pointer` (RFC 6901). `None` when the text is no JSON, when nothing or another kind of value stands there, and when a key on the
/// way to it stands twice: readers differ in which of them they take.
pub(crate) fn find(json: &[u8], pointer: &str) -> Option<Scalar> {
    let keys: Vec<String> =
        pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let found = Seek(&keys).deserialize(&mut deserializer).ok()??;
    deserializer.end().ok()?;
    let raw = found.get();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok().map(Scalar::Text),
        b'-' | b'0'..=b'9' => Some(Scalar::Number(raw.to_owned())),
        _ => None,
    }
}

struct Seek<'k>(&'k [String]);

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<Box<RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            return serde::Deserialize::deserialize(deserializer).map(Some);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<Box<RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object or array with {}", self.0[0])
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key != self.0[0].as_str() {
                map.next_value::<IgnoredAny>()?;
            } else if found.is_some() {
                return Err(A::Error::custom("the key stands twice"));
            } else {
                found = Some(map.next_value_seed(Seek(&self.0[1..]))?);
            }
        }
        Ok(found.flatten())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let wanted = self.0[0].parse::<usize>().ok();
        let mut found = None;
        for index in 0.. {
            if Some(index) == wanted {
                match seq.next_element_seed(Seek(&self.0[1..]))? {
                    Some(value) => found = value,
                    None => break,
                }
            } else if seq.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str, pointer: &str) -> Option<String> {
        find(json.as_bytes(), pointer).map(|found| String::from_utf8(found.into_text().into_owned()).unwrap())
    }

    #[test]
    fn a_pointer_finds_texts_and_numbers_as_they_are_written() {
        let json = r#"{"a": [{"b/c": "x\u00e9\n"}, 1.50], "t~": 1760000000000, "n": null}"#;
        assert_eq!(text(json, "/a/0/b~1c").as_deref(), Some("xé\n"));
        assert_eq!(text(json, "/a/1").as_deref(), Some("1.50"));
        assert_eq!(text(json, "/t~0").as_deref(), Some("1760000000000"));
        for missing in ["/n", "/a", "/a/2", "/x", "/a/0", ""] {
            assert_eq!(text(json, missing), None, "{missing}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_none() {
        assert_eq!(text(r#"{"t": 1, "t": 2}"#, "/t"), None);
        assert_eq!(text(r#"{"u": 1, "u": 2, "t": 3}"#, "/t").as_deref(), Some("3"));
    }

    #[test]
    fn a_cut_or_doubled_text_is_none() {
        assert_eq!(text(r#"{"t": 1"#, "/t"), None);
        assert_eq!(text(r#"{"t": 1}{"t": 1}"#, "/t"), None);
    }

    #[test]
    fn an_invalid_byte_in_another_value_does_not_matter() {
        assert!(find(b"{\"t\": 1, \"n\": \"\xeb\"}", "/t").is_some());
    }
}
