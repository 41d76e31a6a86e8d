//! What makes an answer a failure, and where the service says why.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use nuncio_client::Error;
use nuncio_client::check::{Checks, Inspected, OnMismatch, Schema};
use serde_json::{Map, Value};

use crate::model::{Errors, Validate};
use crate::template::{Condition, Scope};

pub(super) fn checks(
    errors: &Errors,
    response: Option<&Map<String, Value>>,
    validate: Validate,
) -> Result<Checks, Error> {
    let mut checks = Checks::new();
    if let Some(when) = errors.when.clone() {
        checks = checks.fails_when(predicate(when));
    }
    if let Some(throttled) = errors.throttled.clone() {
        checks = checks.throttled_when(predicate(throttled));
    }
    // The class says more than nothing where a service has no codes.
    if let Some(code) = errors.code.clone().or_else(|| errors.class.clone()) {
        checks = checks.code(code);
    }
    if let Some(message) = errors.message.clone() {
        checks = checks.message(message);
    }
    let on_mismatch = match validate {
        Validate::Off => None,
        Validate::Warn => Some(OnMismatch::Warn),
        Validate::Fail => Some(OnMismatch::Fail),
    };
    if let (Some(schema), Some(on_mismatch)) = (response, on_mismatch) {
        let schema = Schema::new(&Value::Object(schema.clone()))?;
        checks = checks.schema(Arc::new(schema), on_mismatch);
    }
    Ok(checks)
}

fn predicate(condition: Condition) -> impl Fn(&Inspected<'_>) -> Result<bool, Error> + Send + Sync + 'static {
    move |seen| holds(&condition, seen.status, seen.headers, seen.body)
}

/// Whether `condition` holds for an answer.
pub(super) fn holds(
    condition: &Condition,
    status: StatusCode,
    headers: &HeaderMap,
    body: &Value,
) -> Result<bool, Error> {
    let variables = condition.variables();
    let looks_at = |root: &str| variables.iter().any(|variable| variable.split('.').next() == Some(root));
    let mut scope = Scope::default().with("status", Value::from(status.as_u16()));
    if looks_at("headers") {
        let texts = headers
            .iter()
            .map(|(name, value)| (name.to_string(), Value::from(String::from_utf8_lossy(value.as_bytes()))));
        scope = scope.with("headers", Value::Object(texts.collect()));
    }
    if looks_at("body") {
        scope = scope.with("body", seen_of(body, variables.iter().map(String::as_str)));
    }
    condition.holds(&scope)
}

/// The keys of `body` that the condition names: a look at `body.ok` must not copy a page of records.
fn seen_of<'a>(body: &Value, variables: impl Iterator<Item = &'a str>) -> Value {
    let Value::Object(map) = body else { return body.clone() };
    let mut seen = Map::new();
    for variable in variables {
        let mut steps = variable.split('.');
        match (steps.next(), steps.next()) {
            (Some("body"), Some(key)) => {
                seen.extend(map.get(key).map(|value| (key.to_owned(), value.clone())));
            }
            (Some("body"), None) => return body.clone(),
            _ => {}
        }
    }
    Value::Object(seen)
}
