//! One value of a JSON text, found without building a tree.
//!
//! Text around it is skipped, so that neither its size nor an invalid byte in another value matters.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What stands at a place.
pub(crate) enum Found {
    /// Nothing, or null.
    Nothing,
    Scalar(Scalar),
    /// Another kind of value, a key that stands twice, or no JSON at all.
    Unclear,
}

/// A text, a number, or a truth value.
pub(crate) enum Scalar {
    /// A text; `true` and `false` as they are written.
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
    match look(json, pointer) {
        Found::Scalar(scalar) => Some(scalar),
        Found::Nothing | Found::Unclear => None,
    }
}

/// What stands at `pointer`, for readers to whom nothing is not the same as nothing clear.
pub(crate) fn look(json: &[u8], pointer: &str) -> Found {
    let raw = match seek(json, pointer) {
        Ok(Some(raw)) => raw,
        Ok(None) => return Found::Nothing,
        Err(_) => return Found::Unclear,
    };
    let raw = raw.get();
    match raw.as_bytes() {
        b"null" => Found::Nothing,
        b"true" | b"false" => Found::Scalar(Scalar::Text(raw.to_owned())),
        [b'"', ..] => {
            serde_json::from_str(raw).map_or(Found::Unclear, |text| Found::Scalar(Scalar::Text(text)))
        }
        [b'-' | b'0'..=b'9', ..] => Found::Scalar(Scalar::Number(raw.to_owned())),
        _ => Found::Unclear,
    }
}

/// The items of the array at `pointer`, each as it is written.
pub(crate) fn items(json: &[u8], pointer: &str) -> Option<Vec<Box<RawValue>>> {
    let raw = seek(json, pointer).ok()??;
    serde_json::from_str(raw.get()).ok()
}

fn seek(json: &[u8], pointer: &str) -> serde_json::Result<Option<Box<RawValue>>> {
    let keys: Vec<String> =
        pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let found = Seek(&keys).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
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
    fn nothing_is_told_from_what_is_unclear() {
        let nothing = |json: &str| matches!(look(json.as_bytes(), "/t"), Found::Nothing);
        assert!(nothing("{}") && nothing(r#"{"t": null, "u": 1}"#) && nothing(r#"{"T": 1}"#));
        for unclear in
            [r#"{"t": 1, "t": 1}"#, r#"{"t": null, "t": 1}"#, r#"{"t": {}}"#, r#"{"t": []}"#, "[", "1", ""]
        {
            assert!(matches!(look(unclear.as_bytes(), "/t"), Found::Unclear), "{unclear}");
        }
        assert_eq!(text(r#"{"t": true}"#, "/t").as_deref(), Some("true"));
    }

    #[test]
    fn the_items_of_an_array_are_as_they_are_written() {
        let items = items(br#"{"a": [{"b" : 1.0}, 2]}"#, "/a").unwrap();
        assert_eq!(items.iter().map(|item| item.get()).collect::<Vec<_>>(), [r#"{"b" : 1.0}"#, "2"]);
        assert!(super::items(br#"{"a": {}}"#, "/a").is_none());
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
