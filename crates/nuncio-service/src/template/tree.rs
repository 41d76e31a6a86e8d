//! JSON whose texts are templates.

use std::collections::BTreeSet;

use nuncio_client::Error;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Scope, Template};

/// JSON whose texts are templates. A text that is exactly one expression takes its type; a key or list entry that is exactly an
/// input which the call does not give is left out, and so is an object or list within it of which nothing is left.
///
/// ```
/// use nuncio_service::{Env, Scope, Tree};
/// use serde_json::json;
///
/// let tree: Tree = serde_json::from_value(json!({
///     "to": "{{ input.to }}", "count": "{{ input.count }}", "note": "{{ input.note }}"
/// })).unwrap();
/// let scope = Scope::new(&Env::default()).with("input", json!({"to": "ada", "count": 3}));
/// assert_eq!(tree.render(&scope).unwrap(), json!({"to": "ada", "count": 3}));
/// ```
#[derive(Debug, Clone)]
pub struct Tree(Node);

#[derive(Debug, Clone)]
enum Node {
    Fixed(Value),
    Text(Template),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Tree {
    /// The JSON for the values in `scope`; an object or list of which nothing is left is empty, anything else null.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when a value is missing or an expression fails.
    pub fn render(&self, scope: &Scope) -> Result<Value, Error> {
        Ok(self.0.render(scope)?.unwrap_or_else(|| self.0.emptied()))
    }

    /// What its expressions look at, such as `input.name`.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.0.collect_variables(&mut found);
        found
    }
}

impl Node {
    fn parse(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(text.parse()?),
            Value::Array(items) => Self::List(items.into_iter().map(Self::parse).collect::<Result<_, _>>()?),
            Value::Object(map) => {
                let entries = map.into_iter().map(|(key, value)| Ok::<_, String>((key, Self::parse(value)?)));
                Self::Map(entries.collect::<Result<_, _>>()?)
            }
            fixed => Self::Fixed(fixed),
        })
    }

    fn render(&self, scope: &Scope) -> Result<Option<Value>, Error> {
        Ok(match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::Text(template) => template.value(scope)?,
            Self::List(nodes) => {
                let items = nodes.iter().filter_map(|node| node.render(scope).transpose());
                let items: Vec<Value> = items.collect::<Result<_, _>>()?;
                (nodes.is_empty() || !items.is_empty()).then_some(Value::Array(items))
            }
            Self::Map(nodes) => {
                let mut map = Map::new();
                for (key, node) in nodes {
                    if let Some(value) = node.render(scope)? {
                        map.insert(key.clone(), value);
                    }
                }
                (nodes.is_empty() || !map.is_empty()).then_some(Value::Object(map))
            }
        })
    }

    fn emptied(&self) -> Value {
        match self {
            Self::Fixed(_) | Self::Text(_) => Value::Null,
            Self::List(_) => Value::Array(Vec::new()),
            Self::Map(_) => Value::Object(Map::new()),
        }
    }

    fn collect_variables(&self, found: &mut BTreeSet<String>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => found.extend(template.variables()),
            Self::List(items) => items.iter().for_each(|item| item.collect_variables(found)),
            Self::Map(entries) => entries.iter().for_each(|(_, node)| node.collect_variables(found)),
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Node::parse(value).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Tree {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tree".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "JSON whose texts are templates. A text that is exactly one expression takes its type; a key or list entry that is exactly an input which the call does not give is left out, and so is an object or list of which nothing is left." })
    }
}
