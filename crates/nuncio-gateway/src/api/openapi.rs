//! The OpenAPI document, made from the table of routes and the types that they read and answer.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::route::{Answer, Route};
use super::routes;
use crate::problem::Problem;
use crate::registry::NAME_PATTERN;

const ABOUT: &str = "The API of `nuncio serve`: what is set up, what is stored, what is owed. Lists are given a page at a time: `next` is the `cursor` of the next one.";

/// The OpenAPI document (3.1) of the API. `docs/openapi.json` is its committed form.
#[must_use]
pub fn openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>();
    let mut paths = Map::new();
    for route in routes() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.name()] = operation(&route, &problem, &mut generator);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "nuncio", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{ "token": [] }],
    })
}

fn operation(route: &Route, problem: &Schema, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for (status, answer) in &route.answers {
        responses.insert(status.to_string(), response(answer, generator));
    }
    let content = json!({ "application/problem+json": { "schema": problem } });
    responses.insert("default".to_owned(), json!({ "description": "What is wrong", "content": content }));
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "description": format!("Needs a token with the scope `{}`.", route.scope),
        "parameters": parameters(route, generator),
        "responses": responses,
    });
    if let Some(body) = route.body {
        let schema = body(generator);
        // No body at all is an empty object.
        let required = needs_members(&schema, generator);
        operation["requestBody"] =
            json!({ "required": required, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

/// Whether an object of this schema, which stands among the definitions, has members that must be there.
fn needs_members(schema: &Schema, generator: &SchemaGenerator) -> bool {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let definition = name.and_then(|name| generator.definitions().get(name));
    definition
        .is_some_and(|definition| definition["required"].as_array().is_some_and(|names| !names.is_empty()))
}

fn response(answer: &Answer, generator: &mut SchemaGenerator) -> Value {
    let content = match answer {
        Answer::Nothing => return json!({ "description": "Done" }),
        Answer::Json(schema) => json!({ "application/json": { "schema": schema(generator) } }),
        Answer::Bytes => json!({ "application/octet-stream": {} }),
    };
    json!({ "description": "Done", "content": content })
}

fn parameters(route: &Route, generator: &mut SchemaGenerator) -> Vec<Value> {
    let named = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path = named.map(|name| {
        let schema = json!({ "type": "string", "pattern": NAME_PATTERN });
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let mut parameters: Vec<_> = path.collect();
    if let Some((name, description)) = route.header {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 256 });
        parameters
            .push(json!({ "name": name, "in": "header", "description": description, "schema": schema }));
    }
    let query = route.query.map(|query| query(generator).to_value());
    let properties = query.as_ref().and_then(|query| query["properties"].as_object());
    parameters.extend(
        properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| json!({ "name": name, "in": "query", "schema": given(schema) })),
    );
    parameters
}

/// The schema of a value that is there: a query has no null.
fn given(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_an_id_of_its_own() {
        let ids: Vec<_> = routes().iter().map(|route| route.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = openapi();
        let text = document.to_string();
        for reference in text.split(r##""$ref":"#"##).skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
