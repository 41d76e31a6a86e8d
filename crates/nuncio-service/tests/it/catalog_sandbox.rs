//! The `sandbox` keys of the catalog use only what a sandbox hands them.

use nuncio_service::model::{Failure, Input, Type};
use nuncio_service::{Env, Operation, Scope, Template, Tree};
use serde_json::{Map, Value, json};

use crate::catalog::{catalog, operations};

fn scope(input: Value) -> Scope {
    Scope::new(&Env::default())
        .with("input", input)
        .with("base_url", json!("http://127.0.0.1:1/example"))
        .with("path", json!("/v1/things"))
        .with("random", json!("aB3dE6gH9jK2mN5p"))
        .with("now", json!(1_764_000_000))
        .with("time", json!("2025-11-24T16:00:00Z"))
}

fn renders(what: &str, tree: Option<&Tree>, scope: &Scope) -> Value {
    let Some(tree) = tree else { return json!({}) };
    tree.render(scope).unwrap_or_else(|error| panic!("{what}: {}", error.report()))
}

fn example(input: &Input) -> Value {
    if let Some(values) = input.schema.get("enum") {
        return values[0].clone();
    }
    match input.kind {
        Type::String | Type::Any => json!("text"),
        Type::Integer | Type::Number => json!(7),
        Type::Boolean => json!(true),
        Type::Object => json!({ "key": "value" }),
        Type::Array => json!(["entry"]),
    }
}

/// A value for each input, or for each required one.
fn examples(operation: &Operation, all: bool) -> Map<String, Value> {
    let given = operation.input.iter().filter(|(_, input)| all || input.required);
    given.map(|(name, input)| (name.clone(), example(input))).collect()
}

#[test]
fn an_object_can_be_made_from_nothing() {
    for (name, file) in catalog() {
        for (resource, described) in &file.service.sandbox.resources {
            let what = format!("{name} {resource}");
            let scope = scope(json!({})).with("number", json!(1));
            let id = described.id.as_ref().map_or(json!(1), |id| json!(id.text(&scope).expect(&what)));
            let scope = scope.with("id", id);
            let object = renders(&what, described.object.as_ref(), &scope);
            assert!(object.is_object(), "{what}: {object}");
            renders(&what, described.deleted.as_ref(), &scope);
        }
    }
}

#[test]
fn an_answer_can_be_made_from_the_required_inputs_and_from_all() {
    let catalog = catalog();
    for (name, service, operation_name, operation) in operations(&catalog) {
        let Some(reply) = &operation.sandbox else { continue };
        let before = operation_name.rsplit_once('.').map_or("", |(before, _)| before);
        let resource = reply.resource.as_deref().unwrap_or(before);
        let described = service.sandbox.resources.get(resource).cloned().unwrap_or_default();
        // An object that is already there was created, with what that takes.
        let create = service.operations.get(&format!("{resource}.create"));
        let created = create.map(|create| examples(create, false)).unwrap_or_default();
        for all in [false, true] {
            let input = examples(operation, all);
            let scope = scope(json!(input.clone())).with("number", json!(2)).with("id", json!("2"));
            let mut object = renders(&name, described.object.as_ref(), &scope);
            let map = object.as_object_mut().expect("an object");
            map.extend(created.clone());
            map.extend(input);
            let key = described.key.as_ref().map_or_else(|| "id".to_owned(), ToString::to_string);
            map.insert(key, json!("2"));
            let scope = scope.with("object", object.clone()).with("records", json!([object]));
            renders(&name, reply.set.as_ref(), &scope);
            renders(&name, reply.reply.as_ref(), &scope);
            for header in reply.headers.values() {
                header.text(&scope).expect(&name);
            }
        }
    }
}

#[test]
fn a_refusal_can_be_put_in_the_service_s_words() {
    for (name, file) in catalog() {
        let sandbox = &file.service.sandbox;
        renders(&name, sandbox.answer.as_ref(), &scope(json!({})));
        renders(&name, sandbox.list.as_ref(), &scope(json!({})));
        let failures = &sandbox.failures;
        let Failure { code, message, .. } = &failures.not_found;
        for by in ["channel", "ts", "id"] {
            let scope = scope(json!({})).with("by", json!(by));
            for template in [code, message].into_iter().flatten() {
                template.text(&scope).expect(&name);
            }
        }
        let refused = scope(json!({}))
            .with("status", json!(404))
            .with("type", Value::Null)
            .with("code", Value::Null)
            .with("message", json!("no such thing"))
            .with("param", Value::Null);
        assert!(renders(&name, sandbox.errors.as_ref(), &refused).is_object(), "{name}");
        let fixed = [&failures.auth, &failures.input, &failures.idempotency, &failures.limit];
        let texts = fixed.into_iter().flat_map(|failure| [&failure.code, &failure.message]);
        assert!(texts.flatten().all(Template::is_literal), "{name}");
    }
}

#[test]
fn slack_names_what_it_did_not_find() {
    let catalog = catalog();
    let code = catalog["slack"].service.sandbox.failures.not_found.code.as_ref().expect("a code");
    let named = |by: &str| code.text(&scope(json!({})).with("by", json!(by))).expect(by);
    assert_eq!(named("channel"), "channel_not_found");
    assert_eq!(named("ts"), "message_not_found");
    assert_eq!(named("email"), "users_not_found");
}
