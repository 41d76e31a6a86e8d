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
use crate::app::{App, Shared};
use crate::problem::Problem;
use crate::token::Scope;

/// The most events of one request.
const MAX_BATCH: usize = 1000;

/// The longest idempotency key and type of an event, in bytes.
const MAX_TEXT: usize = 256;

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
    application: String,
    /// What kind of event it is, such as `invoice.paid`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 256))]
    event_type: String,
    /// What is sent, byte for byte: any JSON, at most 1 MiB.
    #[schemars(with = "serde_json::Value")]
    payload: Box<RawValue>,
    /// The same key and event within a day are the same event. The header of that name goes before it.
    #[schemars(length(min = 1, max = 256))]
    idempotency_key: Option<String>,
}

/// Events to tell of. Each is taken or not for itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    /// They.
    #[schemars(length(max = 1000))]
    events: Vec<NewEvent>,
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
        event.idempotency_key = Some(key.to_owned());
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
    let results = join_all(batch.events.into_iter().map(|event| publish(&app, event))).await;
    let outcome = |result: Result<Published, Problem>| match result {
        Ok(published) => Outcome::Published(published),
        Err(problem) => Outcome::Refused { code: problem.code(), detail: problem.detail().to_owned() },
    };
    Ok(Json(Results { results: results.into_iter().map(outcome).collect() }))
}

async fn publish(app: &App, event: NewEvent) -> Result<Published, Problem> {
    bounded("type", &event.event_type)?;
    event.idempotency_key.as_deref().map_or(Ok(()), |key| bounded("idempotency_key", key))?;
    let payload: Box<str> = event.payload.into();
    let message = Message {
        application: event.application,
        event_type: event.event_type,
        payload: Bytes::from(payload.into_string()),
        idempotency_key: event.idempotency_key,
    };
    let published = app.outbox.publish(message).await;
    app.metrics.published(if published.is_ok() { "stored" } else { "refused" });
    let Accepted { id, is_repeat } = published.map_err(problem)?;
    Ok(Published { id, is_repeat })
}

fn bounded(name: &str, text: &str) -> Result<(), Problem> {
    if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(Problem::invalid(format!("{name} has 1 to {MAX_TEXT} bytes and no control characters")));
    }
    Ok(())
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
