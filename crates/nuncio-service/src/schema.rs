//! JSON Schema: of inputs, of answers, and of the service file itself.

use jsonschema::Validator;
use serde_json::Value;

use crate::model::Service;

/// The JSON Schema of a service file (draft 2020-12), for editors. `services/service.schema.json` is its committed form.
#[must_use]
pub fn service_schema() -> Value {
    schemars::schema_for!(Service).to_value()
}

/// Compiles `schema`. References to other documents are refused: nothing is fetched or read for a check.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .offline()
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| format!("this is no JSON Schema: {error}"))
}

/// Why `value` does not fit, each with its place in it. The value itself may be a secret and is not shown.
pub(crate) fn misfits(validator: &Validator, value: &Value) -> Vec<String> {
    let told = validator.iter_errors(value).map(|error| {
        let place = error.instance_path().to_string();
        let message = error.masked_with("the value").to_string();
        if place.is_empty() { message } else { format!("at {place}: {message}") }
    });
    told.collect()
}
