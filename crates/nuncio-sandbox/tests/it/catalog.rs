//! Every operation of the catalog can be played.

use nuncio_client::json::scalar_text;
use nuncio_sandbox::Options;
use nuncio_service::Operation;
use nuncio_service::model::{Auth, Input, Target, Type};
use serde_json::{Map, Value, json};

use crate::support::{Played, answer, catalog};

fn example(input: &Input) -> Value {
    match (input.schema.get("enum"), input.kind) {
        (Some(values), _) => values[0].clone(),
        (None, Type::String | Type::Any) => json!("text"),
        (None, Type::Integer | Type::Number) => json!(1),
        (None, Type::Boolean) => json!(true),
        (None, Type::Object) => json!({ "key": "value" }),
        (None, Type::Array) => json!(["entry"]),
    }
}

/// Asks for `operation` with an example of each required input.
async fn ask(played: &Played, graphql: &str, operation: &Operation) -> (u16, Value) {
    let required = operation.input.iter().filter(|(_, input)| input.required);
    let inputs: Map<String, Value> = required.map(|(name, input)| (name.clone(), example(input))).collect();
    match operation.target().expect("a target") {
        Target::GraphQl { query } => {
            let body = json!({ "query": query, "variables": inputs });
            answer(played.post(graphql).json(&body)).await
        }
        Target::Http { method, path } => {
            let path = inputs.iter().fold(path.to_owned(), |path, (name, value)| {
                path.replace(&format!("{{{name}}}"), &scalar_text(value).unwrap_or_default())
            });
            answer(played.request(method.as_str(), &path).json(&inputs)).await
        }
    }
}

#[tokio::test]
async fn an_operation_is_found_and_its_answer_made() {
    for name in ["example", "github", "sendgrid", "slack", "stripe"] {
        let mut service = catalog(name);
        service.auth = Auth::None;
        for operation in service.operations.values_mut() {
            operation.auth = None;
        }
        let records = if name == "example" { vec!["example.orders", "example.users"] } else { Vec::new() };
        let records = records.into_iter().map(|resource| (resource.to_owned(), 10)).collect();
        let options =
            Options { services: vec![service.clone()], enforce_limits: false, records, ..Options::default() };
        let played = Played::start(options).await;
        for (operation_name, operation) in &service.operations {
            let (status, body) = ask(&played, &service.graphql.path, operation).await;
            assert!(status < 500, "{name} {operation_name}: {status} {body}");
        }
        assert_eq!(played.sandbox.counts().0[name].unknown, 0, "{name}");
    }
}
