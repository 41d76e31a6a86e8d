//! What a call is made with: the key `input` of an operation.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// An input of an operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    /// The type of its value.
    pub kind: Type,
    /// Whether every call must give it.
    pub required: bool,
    /// Where it goes; `None` for where the method and the path put it.
    pub place: Option<Place>,
    /// Its name on the wire, where that is another.
    pub name: Option<String>,
    /// The value of a call that does not give it.
    pub default: Option<Value>,
    /// What it is.
    pub about: Option<String>,
    /// JSON Schema that its value must hold to beside its type.
    pub schema: Map<String, Value>,
}

/// The type of an input's value, as JSON Schema names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Names and values.
    Object,
    /// A list.
    Array,
    /// Anything.
    #[default]
    Any,
}

/// Where an input goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the braces of the path.
    Path,
    /// In the query. Default of GET, HEAD and DELETE.
    Query,
    /// In a header.
    Header,
    /// In the body. Default of POST, PUT and PATCH.
    Body,
    /// The content of a file, as a part of a multipart body or as the whole raw body.
    File,
}

impl Input {
    /// The JSON Schema of its value.
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let mut schema = self.schema.clone();
        if self.kind != Type::Any {
            schema.insert("type".to_owned(), Value::from(self.kind.name()));
        }
        Value::Object(schema)
    }
}

impl Type {
    /// The name in service files and JSON Schema.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::Array => "array",
            Self::Any => "any",
        }
    }

    const ALL: [Self; 7] =
        [Self::String, Self::Integer, Self::Number, Self::Boolean, Self::Object, Self::Array, Self::Any];
}

/// The long form of an input.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct LongForm {
    /// The type of its value. Default: `any`.
    #[serde(rename = "type", default)]
    kind: Type,
    /// Whether every call must give it. Default: false, but true for an input of the path.
    #[serde(default)]
    required: bool,
    /// Where it goes. Default: the path when it stands in braces there, else the query for GET, HEAD and DELETE, else the body.
    #[serde(rename = "in")]
    place: Option<Place>,
    /// Its name on the wire. Default: the same.
    name: Option<String>,
    /// The value of a call that does not give it.
    default: Option<Value>,
    /// What it is.
    about: Option<String>,
    /// The values it can have.
    #[serde(rename = "enum")]
    values: Option<Value>,
    /// The least number.
    minimum: Option<Value>,
    /// The greatest number.
    maximum: Option<Value>,
    /// The least length of a text.
    min_length: Option<Value>,
    /// The greatest length of a text.
    max_length: Option<Value>,
    /// A regular expression that a text must match.
    pattern: Option<Value>,
    /// What a text stands for, such as `date-time`, `email` or `uri`.
    format: Option<Value>,
    /// JSON Schema of each entry of a list.
    items: Option<Value>,
    /// The least number of entries of a list.
    min_items: Option<Value>,
    /// The greatest number of entries of a list.
    max_items: Option<Value>,
    /// JSON Schemas of the values of an object, by key.
    properties: Option<Value>,
    /// More JSON Schema that the value must hold to.
    #[serde(default)]
    schema: Map<String, Value>,
}

impl From<LongForm> for Input {
    fn from(long: LongForm) -> Self {
        let keywords = [
            ("enum", long.values),
            ("minimum", long.minimum),
            ("maximum", long.maximum),
            ("minLength", long.min_length),
            ("maxLength", long.max_length),
            ("pattern", long.pattern),
            ("format", long.format),
            ("items", long.items),
            ("minItems", long.min_items),
            ("maxItems", long.max_items),
            ("properties", long.properties),
        ];
        let mut schema = long.schema;
        schema.extend(keywords.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let LongForm { kind, required, place, name, default, about, .. } = long;
        Self { kind, required, place, name, default, about, schema }
    }
}

impl std::str::FromStr for Input {
    type Err = String;

    /// Reads the short form: a type, and `!` behind it when the input is required.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, required) = text.strip_suffix('!').map_or((text, false), |name| (name, true));
        let kind = Type::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known = Type::ALL.map(Type::name).join(", ");
            format!("{text:?} is no type: write one of {known}, with ! behind it when the input is required")
        })?;
        Ok(Self { kind, required, ..Self::default() })
    }
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Input;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a type such as string or integer!, or the long form with the key type")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Input, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Input, A::Error> {
                LongForm::deserialize(MapAccessDeserializer::new(map)).map(Input::from)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Input {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Input".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<LongForm>();
        let short: Vec<String> =
            Type::ALL.iter().flat_map(|kind| [kind.name().to_owned(), format!("{}!", kind.name())]).collect();
        json_schema!({
            "description": "An input: its type, with `!` behind it when every call must give it, or the long form.",
            "anyOf": [{ "type": "string", "enum": short }, long]
        })
    }
}
