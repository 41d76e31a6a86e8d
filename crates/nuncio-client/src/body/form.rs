//! `application/x-www-form-urlencoded` bodies, nested values in brackets: `items[0][price]=p1`.

use std::fmt;

use form_urlencoded::Serializer;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Error;

/// The media type of a form body.
pub const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Deepest nesting that is encoded. No API documents forms that deep, and parsers have bounds of the same order.
pub const MAX_DEPTH: usize = 32;

/// Writes an object as a form body: objects as `a[key]`, arrays as `a[0]`, in the order given.
///
/// - Numbers and booleans are written as JSON writes them, so that a
///   [`RawValue`] keeps every digit.
/// - A field that is null is left out, as are an empty array and an empty object; a null *in an array* is an empty value, so that the
///   elements after it keep their places. Clear a field with an empty string.
///
/// ```
/// use nuncio_client::body::form;
///
/// let body = form::encode(&serde_json::json!({"metadata": {"order": 6735}, "expand": ["customer"]}))?;
/// assert_eq!(body, "metadata%5Border%5D=6735&expand%5B0%5D=customer");
/// # Ok::<(), nuncio_client::Error>(())
/// ```
///
/// # Errors
/// [`Kind::Configuration`](crate::Kind::Configuration) for a value that is no object, is nested deeper than [`MAX_DEPTH`], or has a
/// nested key with a bracket in it, which a server would read as another field.
pub fn encode(value: &(impl Serialize + ?Sized)) -> Result<String, Error> {
    // By way of the JSON text rather than of a `Value`, which would round numbers and widen an `f32`.
    let json = serde_json::value::to_raw_value(value)
        .map_err(|e| Error::configuration("the form body cannot be written").because(e))?;
    let Node::Object(fields) = Node::of(&json)? else {
        return Err(Error::configuration("a form body is an object with named fields, and this is not")
            .advise("name the value, or send it as JSON"));
    };
    let mut out = Serializer::new(String::new());
    for (name, value) in fields {
        write(&mut out, &name, value, 1)?;
    }
    Ok(out.finish())
}

fn write(out: &mut Serializer<'_, String>, name: &str, value: &RawValue, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        let message = format!("the form field {name:?} is nested deeper than {MAX_DEPTH}");
        return Err(Error::configuration(message).advise("send it as JSON"));
    }
    match Node::of(value)? {
        Node::Null => {
            out.append_pair(name, "");
        }
        Node::Text(text) => {
            out.append_pair(name, &text);
        }
        Node::Literal(text) => {
            out.append_pair(name, text);
        }
        Node::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                write(out, &format!("{name}[{index}]"), item, depth + 1)?;
            }
        }
        Node::Object(fields) => {
            for (key, value) in fields {
                write(out, &within(name, &key)?, value, depth + 1)?;
            }
        }
    }
    Ok(())
}

fn within(name: &str, key: &str) -> Result<String, Error> {
    if key.contains(['[', ']']) {
        let message =
            format!("the key {key:?} in the form field {name:?} has a bracket, by which forms separate keys");
        return Err(Error::configuration(message).advise("rename it, or send the body as JSON"));
    }
    Ok(format!("{name}[{key}]"))
}

/// One level of a JSON text; what is below stays text.
enum Node<'a> {
    Null,
    Text(String),
    /// A number or a boolean as it is written.
    Literal(&'a str),
    Array(Vec<&'a RawValue>),
    /// Without the members that are null.
    Object(Vec<(String, &'a RawValue)>),
}

impl<'a> Node<'a> {
    fn of(raw: &'a RawValue) -> Result<Self, Error> {
        let json = raw.get();
        match json.as_bytes().first() {
            Some(b'n') => Ok(Self::Null),
            Some(b'"') => serde_json::from_str(json).map(Self::Text),
            Some(b'[') => serde_json::from_str(json).map(Self::Array),
            Some(b'{') => serde_json::from_str(json).map(|Fields(fields)| Self::Object(fields)),
            _ => Ok(Self::Literal(json)),
        }
        .map_err(|e| Error::configuration("the form body cannot be written").because(e))
    }
}

/// The members of an object that are not null, in the order in which they stand.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if value.get() != "null" {
                        fields.push((name, value));
                    }
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::Kind;

    fn pairs(body: &str) -> Vec<(String, String)> {
        form_urlencoded::parse(body.as_bytes()).into_owned().collect()
    }

    #[test]
    fn numbers_keep_every_digit() {
        let raw = serde_json::from_str::<&RawValue>(r#"{"amount": 1234567890.12345678901230}"#).unwrap();
        assert_eq!(encode(&raw).unwrap(), "amount=1234567890.12345678901230");
        assert_eq!(encode(&json!({"n": u64::MAX})).unwrap(), "n=18446744073709551615");
        assert_eq!(encode(&BTreeMap::from([("f", 0.1_f32)])).unwrap(), "f=0.1");
    }

    #[test]
    fn a_field_that_is_null_is_left_out_at_every_depth() {
        assert_eq!(encode(&json!({"a": {"b": null, "c": ""}, "d": null})).unwrap(), "a%5Bc%5D=");
    }

    #[test]
    fn only_an_object_is_a_form() {
        for value in [json!([1]), json!("a=b"), json!(null), json!(1)] {
            let error = encode(&value).unwrap_err();
            assert_eq!(error.kind(), Kind::Configuration);
            assert!(error.to_string().starts_with("a form body is an object"), "{error}");
        }
    }

    #[test]
    fn a_key_cannot_break_out_of_its_brackets() {
        let error = encode(&json!({"metadata": {"x][amount": 1}})).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"the key "x][amount" in the form field "metadata" has a bracket, by which forms separate keys"#
        );
        assert_eq!(pairs(&encode(&json!({"expand[]": "a"})).unwrap()), [("expand[]".into(), "a".into())]);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth| (0..depth).fold(json!(1), |inner, _| json!({"a": inner}));
        assert!(encode(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(encode(&nested(MAX_DEPTH + 1)).unwrap_err().kind(), Kind::Configuration);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
                prop::collection::btree_map("[^\\[\\]]*", inner, 1..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn leaves(value: &Value) -> Vec<String> {
        match value {
            Value::Object(map) => map.values().flat_map(leaves).collect(),
            Value::Array(items) => items.iter().flat_map(leaves).collect(),
            other => crate::json::scalar_text(other).into_iter().collect(),
        }
    }

    proptest! {
        #[test]
        fn a_form_parser_reads_every_leaf_in_order_under_a_name_of_its_own(
            fields in prop::collection::btree_map("[^\\[\\]]*", value(), 0..5)
        ) {
            let value = Value::Object(fields.into_iter().collect());
            let pairs = pairs(&encode(&value).unwrap());
            let texts: Vec<_> = pairs.iter().map(|(_, text)| text.clone()).collect();
            prop_assert_eq!(&texts, &leaves(&value));
            let names: BTreeSet<_> = pairs.into_iter().map(|(name, _)| name).collect();
            prop_assert_eq!(names.len(), texts.len());
        }

        #[test]
        fn flat_fields_come_back_as_they_were(fields in prop::collection::btree_map(".*", ".*", 0..8)) {
            let back: BTreeMap<_, _> = pairs(&encode(&fields).unwrap()).into_iter().collect();
            prop_assert_eq!(back, fields);
        }
    }
}
