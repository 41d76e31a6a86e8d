//! From the tree to the types of the model. Every fault knows its place; unknown keys are noted and passed over, so that one look at a
//! file finds them all.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::node::{Key, Kind, Mark, Node};
use super::problem::Problem;
use crate::suggest::unknown;

/// Why a value does not fit its type.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    /// Where; set by the innermost value that is known.
    pub(super) mark: Option<Mark>,
    /// The outermost key that leads there.
    pub(super) key: Option<String>,
}

impl Fault {
    fn at(mut self, mark: Mark) -> Self {
        self.mark.get_or_insert(mark);
        self
    }

    fn under(mut self, key: &Key) -> Self {
        self.key = Some(key.text.clone());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), mark: None, key: None }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {}, found {}", wanted(expected), plainly(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(unknown("word", found, expected))
    }

    fn unknown_field(found: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(unknown("key", found, expected))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("the key `{field}` is missing"))
    }
}

/// serde's words are those of Rust; people who write YAML have others.
fn wanted(expected: &dyn Expected) -> String {
    match &*expected.to_string() {
        "a string" => "text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "names and values".to_owned(),
        "a nonzero u32" | "a nonzero usize" => "a whole number above 0".to_owned(),
        "u16" | "u32" | "u64" => "a whole number".to_owned(),
        other => other.to_owned(),
    }
}

fn plainly(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Str(text) => format!("the text {text:?}"),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "names and values".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Bool(yes) => format!("{yes}"),
        Unexpected::Unsigned(n) => format!("{n}"),
        Unexpected::Signed(n) => format!("{n}"),
        Unexpected::Float(n) => format!("{n}"),
        other => other.to_string(),
    }
}

/// A value of the tree, to be read into a type.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) node: &'a Node,
    /// Where unknown keys are noted.
    pub(super) unknown: &'a RefCell<Vec<Problem>>,
}

impl<'a> Cursor<'a> {
    fn with(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }
}

/// What an unquoted scalar is when nothing else is asked for: null, true, false, a number as JSON writes it, or text. So `08012`,
/// `1_000`, `yes` and `0x10` are text.
enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(&'a str),
}

fn scalar(text: &str) -> Result<Scalar<'_>, Fault> {
    Ok(match text {
        "" | "~" | "null" => Scalar::Null,
        "true" => Scalar::Bool(true),
        "false" => Scalar::Bool(false),
        other => match serde_json::from_str::<serde_json::Number>(other) {
            Ok(number) if number.is_f64() && other.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
                return Err(Fault::custom(format!(
                    "{other} has more digits than a number can hold: quote it"
                )));
            }
            Ok(number) => Scalar::Number(number),
            Err(_) => Scalar::Text(other),
        },
    })
}

impl<'a> Cursor<'a> {
    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.kind {
            Kind::Quoted(text) => visitor.visit_str(text),
            Kind::Plain(text) => match scalar(text)? {
                Scalar::Null => visitor.visit_unit(),
                Scalar::Bool(yes) => visitor.visit_bool(yes),
                Scalar::Text(text) => visitor.visit_str(text),
                Scalar::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                    (Some(n), ..) => visitor.visit_u64(n),
                    (_, Some(n), _) => visitor.visit_i64(n),
                    (.., n) => visitor.visit_f64(n.unwrap_or(f64::NAN)),
                },
            },
            Kind::List(items) => visitor.visit_seq(Items { cursor: self, rest: items.iter() }),
            Kind::Map(entries) => self.map(entries, None, visitor),
        }
    }

    fn map<'de, V: Visitor<'de>>(
        self,
        entries: &'a [(Key, Node)],
        known: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_map(Entries { cursor: self, rest: entries.iter(), known, current: None })
    }

    fn text(self) -> Option<&'a str> {
        match &self.node.kind {
            Kind::Quoted(text) => Some(text),
            Kind::Plain(text) if !matches!(scalar(text), Ok(Scalar::Null)) => Some(text),
            _ => None,
        }
    }

    fn is_null(self) -> bool {
        matches!(&self.node.kind, Kind::Plain(text) if matches!(scalar(text), Ok(Scalar::Null)))
    }
}

impl<'de> Deserializer<'de> for Cursor<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.any(visitor).map_err(|fault| fault.at(self.node.mark))
    }

    /// Where text is wanted a number is its digits as they were written: `version: 1.10`.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.text() {
            Some(text) => visitor.visit_str(text).map_err(|fault: Fault| fault.at(self.node.mark)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.kind {
            Kind::Map(entries) => {
                self.map(entries, Some(fields), visitor).map_err(|fault| fault.at(self.node.mark))
            }
            // The visitor would tell the name of a Rust type.
            _ => self.deserialize_any(Keys(fields)).map(|never: Never| match never {}),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let chosen = match &self.node.kind {
            Kind::Plain(text) | Kind::Quoted(text) => {
                Choice { mark: self.node.mark, name: text, value: None }
            }
            Kind::Map(entries) if entries.len() == 1 => {
                let (key, node) = &entries[0];
                Choice { mark: key.mark, name: &key.text, value: Some(self.with(node)) }
            }
            Kind::Map(_) | Kind::List(_) => {
                let message = format!("expected exactly one of: {}", variants.join(", "));
                return Err(Fault::custom(message).at(self.node.mark));
            }
        };
        visitor.visit_enum(chosen).map_err(|fault| fault.at(self.node.mark))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier
        ignored_any
    }
}

/// Takes nothing, and says that keys were expected.
struct Keys(&'static [&'static str]);

enum Never {}

impl Visitor<'_> for Keys {
    type Value = Never;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.first() {
            Some(key) => write!(f, "keys such as {key}"),
            None => f.write_str("{}"),
        }
    }
}

struct Items<'a> {
    cursor: Cursor<'a>,
    rest: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let value = |node| seed.deserialize(self.cursor.with(node)).map_err(|fault| fault.at(node.mark));
        self.rest.next().map(value).transpose()
    }
}

struct Entries<'a> {
    cursor: Cursor<'a>,
    rest: std::slice::Iter<'a, (Key, Node)>,
    /// The keys that the type knows; others are noted and passed over.
    known: Option<&'static [&'static str]>,
    current: Option<&'a (Key, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        for entry in self.rest.by_ref() {
            let key = &entry.0;
            if let Some(known) = self.known
                && !known.contains(&key.text.as_str())
            {
                let problem = Problem::at(key.mark, unknown("key", &key.text, known));
                self.cursor.unknown.borrow_mut().push(problem);
                continue;
            }
            self.current = Some(entry);
            let text: StrDeserializer<'_, Fault> = de::IntoDeserializer::into_deserializer(key.text.as_str());
            return seed.deserialize(text).map(Some).map_err(|fault| fault.at(key.mark));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, node) = self.current.expect("a value is asked for after its key");
        seed.deserialize(self.cursor.with(node)).map_err(|fault| fault.at(node.mark).under(key))
    }
}

/// One of several: a word, or a key with its value.
struct Choice<'a> {
    mark: Mark,
    name: &'a str,
    value: Option<Cursor<'a>>,
}

impl<'a, 'de> EnumAccess<'de> for Choice<'a> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = de::IntoDeserializer::into_deserializer(self.name);
        Ok((seed.deserialize(name).map_err(|fault| fault.at(self.mark))?, self))
    }
}

impl Choice<'_> {
    fn value(&self) -> Result<Cursor<'_>, Fault> {
        self.value.ok_or_else(|| {
            Fault::custom(format!("`{0}` needs a value: write {{ {0}: … }}", self.name)).at(self.mark)
        })
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(Fault::custom(format!("`{}` takes no value", self.name)).at(self.mark)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.value()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.value()?.deserialize_struct("", fields, visitor)
    }
}
