//! A call that an event becomes: whether it is made, and with which inputs.

use std::collections::{BTreeMap, BTreeSet};

use nuncio_client::{Error, Kind};
use nuncio_service::{Env, Inputs, Scope, Tree};
use serde_json::{Map, Value};

use crate::Event;
use crate::route::jq::Jq;
use crate::route::subject::Subject;
use crate::settings::{self, MAX_STEPS, Operation};

use super::super::event;

/// A call, ready to be asked about an event.
#[derive(Debug)]
pub(crate) struct Step {
    when: Option<Jq>,
    inputs: Source,
}

#[derive(Debug)]
enum Source {
    Templates(Tree),
    Jq(Jq),
}

/// What a step gets to see.
pub(super) struct Seen<'a> {
    pub(super) event: &'a Event,
    /// Of the steps before it, by their names.
    pub(super) answers: &'a BTreeMap<String, String>,
}

impl Step {
    /// The calls of these settings.
    ///
    /// # Errors
    /// [`Kind::Configuration`] for expressions that cannot be read, two steps of one name, none or more than [`MAX_STEPS`].
    pub(crate) fn all(operations: &[Operation]) -> Result<Vec<Self>, Error> {
        if operations.is_empty() || operations.len() > MAX_STEPS {
            return Err(Error::configuration(format!(
                "there are {} operations, and there may be 1 to {MAX_STEPS}",
                operations.len()
            )));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = operations.iter().find(|operation| !names.insert(operation.step())) {
            return Err(Error::configuration(format!("two operations are called {:?}", twice.step()))
                .advise("give each a `name` of its own"));
        }
        let one = |operation| Self::new(operation).map_err(|error| error.within(operation.step()));
        operations.iter().map(one).collect()
    }

    fn new(operation: &Operation) -> Result<Self, Error> {
        let inputs = match &operation.inputs {
            settings::Inputs::Templates(inputs) => {
                let inputs: Map<String, Value> = inputs.clone().into_iter().collect();
                let tree = serde_json::from_value(Value::Object(inputs))
                    .map_err(|error| Error::configuration(format!("the inputs cannot be read: {error}")))?;
                Source::Templates(tree)
            }
            settings::Inputs::Jq(code) => Source::Jq(Jq::new(code)?),
        };
        Ok(Self { when: operation.when.as_deref().map(Jq::new).transpose()?, inputs })
    }

    /// Whether the call is made.
    pub(super) fn applies(&self, seen: &Seen<'_>) -> Result<bool, Error> {
        let Some(when) = &self.when else { return Ok(true) };
        let subject = Subject::new(seen.event).jq_with(seen.answers);
        when.truth(&subject).map_err(|error| failed(format!("`when` failed: {error}")))
    }

    /// What it is made with.
    pub(super) fn inputs(&self, seen: &Seen<'_>, env: &Env) -> Result<Inputs, Error> {
        let inputs = match &self.inputs {
            Source::Templates(tree) => {
                let scope = Scope::new(env).with("event", event_of(seen)).with("answers", answers(seen));
                // What the event lacks, other events may have.
                tree.render(&scope).map_err(|error| error.kind_is(Kind::Validation))?
            }
            Source::Jq(jq) => {
                let subject = Subject::new(seen.event).jq_with(seen.answers);
                let given =
                    jq.value(&subject).map_err(|error| failed(format!("`inputs` failed: {error}")))?;
                given.unwrap_or_default()
            }
        };
        Inputs::from_json(inputs)
    }
}

fn failed(why: String) -> Error {
    Error::new(Kind::Validation, why)
}

/// The event as templates see it.
fn event_of(seen: &Seen<'_>) -> Value {
    let mut head = event::head(seen.event);
    head.insert("body".to_owned(), read(&seen.event.body));
    Value::Object(head)
}

fn answers(seen: &Seen<'_>) -> Value {
    seen.answers.iter().map(|(step, answer)| (step.clone(), read(answer.as_bytes()))).collect()
}

/// As JSON, as text where it is none, and as null where it is neither.
fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .ok()
        .or_else(|| std::str::from_utf8(bytes).ok().map(Value::from))
        .unwrap_or_default()
}
