//! Texts with expressions in them, `Bearer {{ env.TOKEN }}`: compiled when a file is loaded, rendered for each call.
//!
//! Only expressions are known, no statements: whatever a service file says can be read in place, and a text that is exactly one
//! expression can keep the type of its value. Expressions are [minijinja](https://docs.rs/minijinja)'s.

mod expression;
mod scope;
mod tree;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use nuncio_client::{Error, Secret};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub use expression::Condition;
use expression::Expression;
pub use scope::{Env, Scope};
pub use tree::Tree;

/// A text with expressions.
///
/// ```
/// use nuncio_service::{Env, Scope, Template};
///
/// let template: Template = "Hello {{ input.name | upper }}".parse().unwrap();
/// let scope = Scope::new(&Env::default()).with("input", serde_json::json!({"name": "ada"}));
/// assert_eq!(template.text(&scope).unwrap(), "Hello ADA");
/// ```
#[derive(Clone, Default)]
pub struct Template {
    source: Arc<str>,
    parts: Arc<[Part]>,
}

enum Part {
    Text(String),
    Expression(Expression),
}

impl Template {
    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text with its expressions replaced by their values.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when a value is missing or null, or an expression fails.
    pub fn text(&self, scope: &Scope) -> Result<String, Error> {
        let mut out = String::new();
        for part in self.parts.iter() {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Expression(expression) => match expression.evaluate(scope)? {
                    Some(Value::String(text)) => out.push_str(&text),
                    None | Some(Value::Null) => return Err(expression.missing()),
                    Some(other) => out.push_str(&other.to_string()),
                },
            }
        }
        Ok(out)
    }

    /// Its value: of the type of the expression when it is exactly one, else text. Nothing when it is exactly an input that the call
    /// does not give.
    ///
    /// # Errors
    /// As for [`text`](Self::text), except that null is a value.
    pub fn value(&self, scope: &Scope) -> Result<Option<Value>, Error> {
        match &*self.parts {
            [Part::Expression(expression)] => match expression.evaluate(scope)? {
                None if !expression.is_input() => Err(expression.missing()),
                value => Ok(value),
            },
            _ => self.text(scope).map(|text| Some(Value::String(text))),
        }
    }

    /// Its text, never to be shown.
    ///
    /// # Errors
    /// As for [`text`](Self::text).
    pub fn secret(&self, scope: &Scope) -> Result<Secret, Error> {
        self.text(scope).map(Secret::new)
    }

    /// Whether there are no expressions in it.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// What its expressions look at, such as `env.TOKEN` and `input.name`.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        self.expressions().flat_map(Expression::variables).collect()
    }

    /// Those of its [`variables`](Self::variables) without which it has no value: `{{ env.TOKEN | default('') }}` has one without `env.TOKEN`.
    #[must_use]
    pub fn needs(&self) -> BTreeSet<String> {
        self.expressions().flat_map(Expression::needs).collect()
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Expression(expression) => Some(expression),
            Part::Text(_) => None,
        })
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some(start) = rest.find("{{") {
            if start > 0 {
                parts.push(Part::Text(plain(&rest[..start])?));
            }
            let inner = &rest[start + 2..];
            let end = expression_end(inner).ok_or_else(|| {
                format!("the expression {:?} has no end: write }}}} behind it", &rest[start..])
            })?;
            parts.push(Part::Expression(Expression::compile(inner[..end].trim())?));
            rest = &inner[end + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(plain(rest)?));
        }
        Ok(Self { source: source.into(), parts: parts.into() })
    }
}

/// Statements would otherwise go on the wire as they stand.
fn plain(text: &str) -> Result<String, String> {
    if text.contains("{%") {
        return Err("{% … %} is not known here: write an expression, such as {{ a if b else c }}".to_owned());
    }
    Ok(text.to_owned())
}

/// Where the `}}` stands that ends the expression: not one in a text, not one of maps in maps.
fn expression_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' | '\'' => loop {
                match chars.next()?.1 {
                    '\\' => drop(chars.next()),
                    end if end == c => break,
                    _ => {}
                }
            },
            '}' if depth == 0 => return text[at..].starts_with("}}").then_some(at),
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.source)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Loading takes a bare number or boolean for its text, so an editor must not complain.
        json_schema!({
            "description": "A text with expressions, such as `{{ env.TOKEN }}`.",
            "type": ["string", "number", "boolean"]
        })
    }
}

#[cfg(test)]
mod tests;
