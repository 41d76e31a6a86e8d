//! The GraphQL endpoint.
//!
//! There is no schema in a service file. What its operations ask for is what there is: a request may name their fields and arguments, by
//! whatever alias, order and fragment, and nothing else.

mod document;

use document::{Argument, Definition, Field};
use nuncio_service::model::Target;
use nuncio_service::{Operation, Service};
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::wire::Received;

/// The described queries and mutations.
pub(crate) struct Endpoint(Vec<Described>);

struct Described {
    operation: String,
    definition: Definition,
}

/// A request for a described operation.
pub(crate) struct Query<'a> {
    pub(crate) operation: &'a str,
    /// The described operation's variables.
    pub(crate) variables: Map<String, Value>,
    fields: Vec<Field>,
}

impl Endpoint {
    pub(crate) fn new(service: &Service) -> Self {
        let described = service.operations.iter().filter_map(|(name, operation)| {
            let Target::GraphQl { query } = operation.target()? else { return None };
            let mut definitions = document::parse(query).ok()?;
            (!definitions.is_empty())
                .then(|| Described { operation: name.clone(), definition: definitions.swap_remove(0) })
        });
        Self(described.collect())
    }

    /// The described operation that a request asks for.
    ///
    /// # Errors
    /// The messages for its author.
    pub(crate) fn read(&self, received: &Received) -> Result<Query<'_>, Vec<String>> {
        let one = |message: String| vec![message];
        let body = received.body_fields().map_err(one)?;
        let text = body
            .get("query")
            .and_then(Value::as_str)
            .ok_or_else(|| one("the body has no query".to_owned()))?;
        let name = body.get("operationName").and_then(Value::as_str);
        let definitions = document::parse(text).map_err(one)?;
        let mut asked =
            definitions.into_iter().filter(|asked| name.is_none() || asked.name.as_deref() == name);
        let (Some(asked), None) = (asked.next(), asked.next()) else {
            return Err(one("Must provide the name of one of the operations".to_owned()));
        };
        let mut given = asked.defaults.clone();
        if let Some(Value::Object(variables)) = body.get("variables") {
            given.extend(variables.clone());
        }
        self.find(&asked, &given)
    }

    /// The operation that has every field and argument that is asked; else what is wrong by the one that comes nearest.
    fn find(&self, asked: &Definition, given: &Map<String, Value>) -> Result<Query<'_>, Vec<String>> {
        let root = if asked.is_mutation { "Mutation" } else { "Query" };
        let mut nearest: Option<(usize, Vec<String>)> = None;
        for described in self.0.iter().filter(|it| it.definition.is_mutation == asked.is_mutation) {
            let mut matching = Matching { given, variables: Map::new(), wrong: Vec::new() };
            matching.fields(root, &asked.fields, &described.definition.fields);
            let Matching { variables, wrong, .. } = matching;
            if wrong.is_empty() {
                return Ok(Query {
                    operation: &described.operation,
                    variables,
                    fields: asked.fields.clone(),
                });
            }
            let has = |field: &Field| described.definition.fields.iter().any(|it| it.name == field.name);
            let unknown = asked.fields.iter().filter(|field| !has(field)).count();
            if nearest
                .as_ref()
                .is_none_or(|(least, nearest)| (unknown, wrong.len()) < (*least, nearest.len()))
            {
                nearest = Some((unknown, wrong));
            }
        }
        Err(nearest.map_or_else(|| vec![format!("there is no {root} here")], |(_, wrong)| wrong))
    }
}

/// What is asked, held against what is described.
struct Matching<'a> {
    given: &'a Map<String, Value>,
    variables: Map<String, Value>,
    wrong: Vec<String>,
}

impl Matching<'_> {
    fn fields(&mut self, above: &str, asked: &[Field], described: &[Field]) {
        for field in asked {
            let Some(same) = described.iter().find(|described| described.name == field.name) else {
                self.wrong.push(format!("Cannot query field {:?} on {above:?}", field.name));
                continue;
            };
            if field.fields.is_empty() && !same.fields.is_empty() {
                self.wrong.push(format!("Field {:?} must have a selection of subfields", field.name));
            }
            for (name, argument) in &field.arguments {
                let described = same.arguments.iter().find(|(described, _)| described == name);
                match (described, argument.value(self.given)) {
                    (None, _) => {
                        self.wrong.push(format!("Unknown argument {name:?} on field {:?}", field.name));
                    }
                    (Some((_, Argument::Variable(variable))), Some(value)) => {
                        self.variables.insert(variable.clone(), value);
                    }
                    _ => {}
                }
            }
            self.fields(&field.name, &field.fields, &same.fields);
        }
    }
}

impl Query<'_> {
    /// The answer with the fields that are asked for.
    pub(crate) fn select(&self, mut answer: Answer) -> Answer {
        let data = select(answer.body.take().unwrap_or_default(), &self.fields);
        answer.body = Some(json!({ "data": data }));
        answer
    }
}

fn select(value: Value, fields: &[Field]) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| select(item, fields)).collect(),
        Value::Object(map) if !fields.is_empty() => {
            let selected = fields.iter().map(|field| {
                (field.key.clone(), select(map.get(&field.name).cloned().unwrap_or_default(), &field.fields))
            });
            Value::Object(selected.collect())
        }
        other => other,
    }
}

/// The answer to a request that is not done.
pub(crate) fn errors(messages: &[String]) -> Answer {
    let errors: Vec<Value> = messages.iter().map(|message| json!({ "message": message })).collect();
    Answer::json(200, json!({ "errors": errors, "data": null }))
}

/// Whether it changes nothing.
pub(crate) fn is_query(operation: &Operation) -> bool {
    let Some(Target::GraphQl { query }) = operation.target() else { return false };
    document::parse(query).is_ok_and(|definitions| definitions.iter().all(|it| !it.is_mutation))
}
