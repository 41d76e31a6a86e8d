//! One expression, compiled.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use minijinja::{Environment, UndefinedBehavior};
use nuncio_client::Error;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Scope;

/// Steps that an expression may take: about 100,000 instructions or 6 MiB of text.
const FUEL: u64 = 100_000;

/// Templates: what is missing is a mistake.
static STRICT: LazyLock<Environment<'static>> = LazyLock::new(|| engine(UndefinedBehavior::Strict));

/// Conditions ask about answers of every shape: what is missing there is no mistake, and not true.
static LENIENT: LazyLock<Environment<'static>> = LazyLock::new(|| engine(UndefinedBehavior::Chainable));

fn engine(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(undefined);
    engine.set_fuel(Some(FUEL));
    // It would print everything in scope, secrets too.
    engine.remove_global("debug");
    engine
}

#[derive(Clone)]
pub(super) struct Expression {
    source: Arc<str>,
    compiled: Arc<minijinja::Expression<'static, 'static>>,
    /// The steps of an expression that is only a place, such as `input.name`. It is looked up in the JSON itself, so that key order
    /// and digits stay as they are.
    place: Option<Arc<[String]>>,
}

impl Expression {
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        Self::compile_in(&STRICT, source)
    }

    fn compile_in(engine: &'static Environment<'static>, source: &str) -> Result<Self, String> {
        let compiled = engine
            .compile_expression_owned(source.to_owned())
            .map_err(|error| format!("the expression {source:?} is wrong: {}", said(&error)))?;
        Ok(Self { source: source.into(), compiled: Arc::new(compiled), place: place(source) })
    }

    /// The value; nothing when it is not there.
    pub(super) fn evaluate(&self, scope: &Scope) -> Result<Option<Value>, Error> {
        if let Some(steps) = &self.place {
            return Ok(scope.find(steps));
        }
        let value = self.compiled.eval(scope.as_context()).map_err(|error| self.failed(&error))?;
        if value.is_undefined() {
            return Ok(None);
        }
        let value = serde_json::to_value(&value).map_err(|error| {
            Error::configuration(format!(
                "the expression {:?} has a value that JSON cannot hold",
                self.source
            ))
            .because(error)
        })?;
        Ok(Some(value))
    }

    pub(super) fn is_input(&self) -> bool {
        matches!(self.place.as_deref(), Some([root, ..]) if root == "input")
    }

    pub(super) fn variables(&self) -> BTreeSet<String> {
        self.compiled.undeclared_variables(true).into_iter().collect()
    }

    /// The variables without which it has no value: those it looks at, except the one that it has a fallback for.
    pub(super) fn needs(&self) -> BTreeSet<String> {
        let mut variables = self.variables();
        if let Some((name, filter)) = self.source.split_once('|')
            && filter.trim_start().starts_with("default(")
        {
            variables.remove(name.trim());
        }
        variables
    }

    pub(super) fn missing(&self) -> Error {
        let error = Error::configuration(format!("{:?} has no value", self.source));
        match self.place.as_deref() {
            Some([root, name]) if root == "env" => {
                error.advise(format!("set the environment variable {name}"))
            }
            _ => error.advise("give it a value, or a fallback as in {{ input.name | default('none') }}"),
        }
    }

    fn failed(&self, error: &minijinja::Error) -> Error {
        Error::configuration(format!("the expression {:?} fails: {}", self.source, said(error)))
    }
}

/// What went wrong, without the dump of variables that the engine's own `Debug` adds.
fn said(error: &minijinja::Error) -> String {
    let kind = error.kind().to_string();
    error.detail().map_or_else(|| kind.clone(), |detail| format!("{kind}: {detail}"))
}

fn place(source: &str) -> Option<Arc<[String]>> {
    const LITERALS: [&str; 6] = ["true", "True", "false", "False", "none", "None"];
    let is_name = |step: &str| {
        let mut chars = step.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_place = source.split('.').all(is_name) && !LITERALS.contains(&source);
    is_place.then(|| source.split('.').map(str::to_owned).collect())
}

/// A question about an answer, such as `body.ok == false`. A place that is not there is not true and equal to nothing.
#[derive(Clone)]
pub struct Condition {
    expression: Expression,
    variables: Arc<BTreeSet<String>>,
}

impl Condition {
    /// Whether it holds.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when the expression fails, as `1 + "a"` does.
    pub fn holds(&self, scope: &Scope) -> Result<bool, Error> {
        let Self { expression, .. } = self;
        let value =
            expression.compiled.eval(scope.as_context()).map_err(|error| expression.failed(&error))?;
        Ok(value.is_true())
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.expression.source
    }

    /// What it looks at, such as `body.ok`.
    #[must_use]
    pub fn variables(&self) -> &BTreeSet<String> {
        &self.variables
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(source: &str) -> Result<Self, String> {
        let expression = Expression::compile_in(&LENIENT, source.trim())?;
        Ok(Self { variables: Arc::new(expression.variables()), expression })
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.source())
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A question about an answer, over `status`, `headers` and `body`, such as `body.ok == false`.",
            "type": "string"
        })
    }
}
