//! What expressions can see.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use nuncio_client::Secret;
use serde_json::Value;

/// Where `{{ env.X }}` comes from: a lookup by name. It is never enumerated, and every value it hands out is a [`Secret`].
///
/// The default knows no variable.
#[derive(Clone, Default)]
pub struct Env(Option<Arc<Lookup>>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Env {
    /// An environment that asks `lookup`, such as `|name| std::env::var(name).ok()`.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(lookup)))
    }

    /// The value of `name`; one that is set but empty counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Secret> {
        let value = self.0.as_ref()?(name)?;
        (!value.is_empty()).then(|| Secret::new(value))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}

impl Object for Env {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.get(key.as_str()?).map(|secret| minijinja::Value::from(secret.expose()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// What expressions can see: the environment and named values.
#[derive(Clone, Default)]
pub struct Scope {
    env: Env,
    values: BTreeMap<&'static str, Arc<Value>>,
}

impl Scope {
    /// A scope with nothing but `env`.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        Self { env: env.clone(), values: BTreeMap::new() }
    }

    /// Adds a value, such as `input` or `item`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Arc<Value>>) -> Self {
        self.values.insert(name, value.into());
        self
    }

    pub(super) fn find(&self, steps: &[String]) -> Option<Value> {
        let (root, rest) = steps.split_first()?;
        if root == "env" {
            let [name] = rest else { return None };
            return self.env.get(name).map(|secret| Value::String(secret.expose().to_owned()));
        }
        let root: &Value = self.values.get(root.as_str())?;
        rest.iter().try_fold(root, |value, step| value.get(step)).cloned()
    }

    pub(super) fn as_context(&self) -> minijinja::Value {
        minijinja::Value::from_object(self.clone())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        match key.as_str()? {
            "env" => Some(minijinja::Value::from_object(self.env.clone())),
            name => self.values.get(name).map(Json::view),
        }
    }
}

/// A view of JSON that converts only what is looked at: a condition on `body.ok` must not copy a page of records.
#[derive(Debug)]
struct Json(Arc<Value>);

impl Json {
    fn view(value: &Arc<Value>) -> minijinja::Value {
        match &**value {
            Value::Null => minijinja::Value::from(()),
            Value::Bool(yes) => minijinja::Value::from(*yes),
            Value::String(text) => minijinja::Value::from(text.as_str()),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(n), ..) => minijinja::Value::from(n),
                (_, Some(n), _) => minijinja::Value::from(n),
                (_, _, Some(n)) if n.is_finite() => minijinja::Value::from(n),
                _ => minijinja::Value::from(number.to_string()),
            },
            Value::Array(_) | Value::Object(_) => minijinja::Value::from_object(Self(Arc::clone(value))),
        }
    }

    fn child(value: &Value) -> minijinja::Value {
        Self::view(&Arc::new(value.clone()))
    }
}

impl Object for Json {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if self.0.is_array() { ObjectRepr::Seq } else { ObjectRepr::Map }
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        match &*self.0 {
            Value::Array(items) => items.get(key.as_usize()?),
            other => other.get(key.as_str()?),
        }
        .map(Self::child)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &*self.0 {
            Value::Array(items) => Enumerator::Seq(items.len()),
            Value::Object(map) => {
                Enumerator::Values(map.keys().map(|key| minijinja::Value::from(key.as_str())).collect())
            }
            _ => Enumerator::Empty,
        }
    }
}
