//! Applications tell of events.

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, StatusCode};
use nuncio_relay::EventId;
use nuncio_relay::outbox::{Accepted, Message, Rejected};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::given::Given;
use super::route::{Method, Route};
use super::text::{Label, Name, Object};
use crate::app::{App, Shared};
use crate::problem::Problem;
use crate::token::Scope;

/// The most events of one request.
const MAX_BATCH: usize = 1000;

pub(super) fn routes() -> Vec<Route> {
    let key = "The same key and event within a day are the same event";
    vec![
        Route::new(Method::Post, "/v1/events", "publishEvent", "Tell of an event", one)
            .scope(Scope::Publish)
            .header("Idempotency-Key", key)
            .body::<NewEvent>()
            .answers::<Published>(201)
            .answers::<Published>(200),
        Route::new(Method::Post, "/v1/events/batch", "publishEvents", "Tell of up to 1000 events", batch)
            .scope(Scope::Publish)
            .body::<Batch>()
            .answers::<Results>(200),
    ]
}

/// An event to tell of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewEvent {
    /// Who tells.
    application: Name,
    /// What kind of event it is, such as `invoice.paid`.
    #[serde(rename = "type")]
    event_type: Label,
    /// What is sent, byte for byte: any JSON, at most 1 MiB.
    #[schemars(with = "serde_json::Value")]
    payload: Box<RawValue>,
    /// The same key and event within a day are the same event. The header of that name goes before it.
    idempotency_key: Option<Label>,
}

/// Events to tell of. Each is taken or not for itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    /// They.
    #[schemars(length(max = 1000))]
    events: Vec<Object<NewEvent>>,
}

/// An event that is on disk.
#[derive(Debug, Serialize, JsonSchema)]
struct Published {
    /// Its id.
    #[schemars(with = "String")]
    id: EventId,
    /// Whether it was there before.
    is_repeat: bool,
}

/// What became of each event, in their order.
#[derive(Debug, Serialize, JsonSchema)]
struct Results {
    /// They.
    results: Vec<Outcome>,
}

/// What became of an event.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Outcome {
    /// It is on disk.
    Published(Published),
    /// It was not taken.
    Refused {
        /// What is wrong, for programs.
        code: &'static str,
        /// What is wrong, for people.
        detail: String,
    },
}

async fn one(
    State(app): Shared,
    headers: HeaderMap,
    Given(mut event): Given<NewEvent>,
) -> Result<(StatusCode, Json<Published>), Problem> {
    if let Some(key) = headers.get("idempotency-key") {
        let key = key.to_str().map_err(|_| Problem::invalid("Idempotency-Key is not plain text"))?;
        event.idempotency_key = Some(Label::try_from(key.to_owned()).map_err(Problem::invalid)?);
    }
    let accepted = publish(&app, event).await?;
    let status = if accepted.is_repeat { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(accepted)))
}

async fn batch(State(app): Shared, Given(batch): Given<Batch>) -> Result<Json<Results>, Problem> {
    if batch.events.len() > MAX_BATCH {
        return Err(Problem::invalid(format!("a batch has at most {MAX_BATCH} events")));
    }
    // At once, so that they share commits.
    let results = join_all(batch.events.into_iter().map(|Object(event)| publish(&app, event))).await;
    let outcome = |result: Result<Published, Problem>| match result {
        Ok(published) => Outcome::Published(published),
        Err(problem) => Outcome::Refused { code: problem.code(), detail: problem.detail().to_owned() },
    };
    Ok(Json(Results { results: results.into_iter().map(outcome).collect() }))
}

async fn publish(app: &App, event: NewEvent) -> Result<Published, Problem> {
    let payload: Box<str> = event.payload.into();
    let message = Message {
        application: event.application.into(),
        event_type: event.event_type.into(),
        payload: Bytes::from(payload.into_string()),
        idempotency_key: event.idempotency_key.map(String::from),
    };
    let published = app.outbox.publish(message).await;
    app.metrics.published(if published.is_ok() { "stored" } else { "refused" });
    let Accepted { id, is_repeat } = published.map_err(problem)?;
    Ok(Published { id, is_repeat })
}

fn problem(rejected: Rejected) -> Problem {
    let detail = rejected.to_string();
    match rejected {
        Rejected::NoApplication(_) => Problem::new(StatusCode::NOT_FOUND, "no_application", detail),
        Rejected::TooLong(_) => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail),
        Rejected::KeyReused(_) => Problem::conflict("key_reused", detail),
        Rejected::Mismatch { .. } => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "mismatch", detail),
        Rejected::Store(error) => error.into(),
        _ => Problem::invalid(detail),
    }
}
