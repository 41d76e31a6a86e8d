//! GraphQL documents: which operation would run and of which kind, against another parser. A mutation is never taken for a query.
#![no_main]

use apollo_parser::Parser;
use apollo_parser::cst::{Definition, OperationDefinition};
use libfuzzer_sys::fuzz_target;
use nuncio_client::graphql::Request;

fuzz_target!(|document: &str| {
    let alone = Request::new(document).is_query();
    let parsed = Parser::new(document).recursion_limit(200).token_limit(10_000).parse();
    if parsed.errors().next().is_some() {
        return;
    }
    let operations: Vec<Operation> = parsed.document().definitions().filter_map(Operation::of).collect();
    // Ours reads no types: a schema within the document is left to the server.
    let only_executable = parsed.document().definitions().all(|definition| {
        matches!(definition, Definition::OperationDefinition(_) | Definition::FragmentDefinition(_))
    });
    if !only_executable {
        return;
    }
    match &operations[..] {
        [only] => only.agrees(alone),
        several => assert!(alone.is_err(), "{} operations", several.len()),
    }
    for operation in &operations {
        let Some(name) = &operation.name else { continue };
        let namesakes = operations.iter().filter(|other| other.name.as_ref() == Some(name)).count();
        if namesakes == 1 {
            operation.agrees(Request::new(document).operation(name).is_query());
        }
    }
});

struct Operation {
    name: Option<String>,
    /// Nothing for a subscription.
    is_query: Option<bool>,
}

impl Operation {
    fn of(definition: Definition) -> Option<Self> {
        let Definition::OperationDefinition(definition) = definition else { return None };
        let is_query = is_query(&definition);
        Some(Self { name: definition.name().map(|name| name.text().to_string()), is_query })
    }

    fn agrees(&self, ours: Result<bool, nuncio_client::Error>) {
        assert_eq!(ours.as_ref().ok().copied(), self.is_query, "{ours:?}");
    }
}

fn is_query(definition: &OperationDefinition) -> Option<bool> {
    let Some(kind) = definition.operation_type() else { return Some(true) };
    if kind.subscription_token().is_some() {
        return None;
    }
    Some(kind.mutation_token().is_none())
}
