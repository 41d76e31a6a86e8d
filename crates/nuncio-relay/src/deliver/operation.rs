//! Deliveries into calls of operations of services.

use std::num::NonZeroU32;
use std::sync::Arc;

use nuncio_client::retry::Policy;
use nuncio_client::{Answer, Clock, Error, Kind};
use nuncio_service::{Connection, Inputs, Scope, Tree};
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use crate::Event;
use crate::outcome::{Fault, Outcome};
use crate::settings::Operation;

use super::cache::Cache;
use super::{Connect, Parcel, event, excerpt, failure};

/// All services that events go to.
pub(super) struct Connections {
    kept: Cache<Arc<OnceCell<Connection>>>,
    connect: Connect,
    clock: Clock,
}

impl Connections {
    pub(super) fn new(connect: Connect, clock: Clock) -> Self {
        Self { kept: Cache::default(), connect, clock }
    }

    pub(super) async fn deliver(&self, parcel: &Parcel<'_>, operation: &Operation) -> Outcome {
        match self.call(parcel, operation).await {
            Ok(answer) => {
                Outcome { excerpt: excerpt(&answer.body), ..Outcome::taken(answer.status.as_u16()) }
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn call(&self, parcel: &Parcel<'_>, operation: &Operation) -> Result<Answer, Error> {
        let inputs = inputs(operation, parcel)?;
        let kept = self.kept.get(parcel, || Ok(Arc::default()))?;
        let connect = || (self.connect)(&operation.service, operation.account.as_deref());
        let connection = kept.get_or_try_init(connect).await?;
        connection
            .call(&operation.operation, inputs)?
            // The same for each attempt: a service that knows such keys does it once.
            .idempotency_key(parcel.event.id.to_string())
            .retry(Policy { attempts: NonZeroU32::MIN, ..Policy::default() })
            .deadline(parcel.timeout())
            .send()
            .await
    }

    fn failed(&self, error: &Error) -> Outcome {
        let mut outcome = failure::outcome(error, true, &self.clock);
        if let Err(failure) = &mut outcome.result {
            failure.fault = match (failure.fault, error.kind()) {
                // Something that the operation is about is gone, not the service.
                (Fault::Gone, _) => Fault::Refused,
                (_, Kind::Auth) => Fault::Misconfigured,
                (fault, _) => fault,
            };
        }
        outcome
    }
}

/// Whether the templates can be read.
pub(super) fn check(operation: &Operation) -> Result<(), Error> {
    tree(operation).map(drop)
}

fn tree(operation: &Operation) -> Result<Tree, Error> {
    let inputs: Map<String, Value> = operation.inputs.clone().into_iter().collect();
    serde_json::from_value(Value::Object(inputs))
        .map_err(|error| Error::configuration(format!("the inputs cannot be read: {error}")))
}

fn inputs(operation: &Operation, parcel: &Parcel<'_>) -> Result<Inputs, Error> {
    let scope = Scope::new(&parcel.endpoint.env).with("event", seen(parcel.event));
    // What the event lacks, other events may have.
    let rendered = tree(operation)?.render(&scope).map_err(|error| error.kind_is(Kind::Validation))?;
    Inputs::from_json(rendered)
}

/// The event as templates see it: its body as JSON, as text where it is none, and as null where it is neither.
fn seen(event: &Event) -> Value {
    let mut seen = event::head(event);
    let body = serde_json::from_slice(&event.body)
        .ok()
        .or_else(|| std::str::from_utf8(&event.body).ok().map(Value::from))
        .unwrap_or_default();
    seen.insert("body".to_owned(), body);
    Value::Object(seen)
}
