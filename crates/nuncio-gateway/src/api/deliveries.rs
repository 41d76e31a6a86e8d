//! Deliveries, and what was tried.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use nuncio_client::Redactor;
use nuncio_relay::store::{DeliveryQuery, From as Place};
use nuncio_relay::{Attempt, Delivery, DeliveryId, EventId, State as Standing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::given::{Asked, Named};
use super::page::{self, Order, Page};
use super::route::{Method, Route};
use crate::app::{App, Shared};
use crate::problem::Problem;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::Get, "/v1/deliveries", "listDeliveries", "Deliveries", list)
            .query::<DeliveriesQuery>()
            .answers::<Page<DeliveryItem>>(200),
        Route::new(Method::Get, "/v1/deliveries/{delivery}", "getDelivery", "A delivery", get)
            .answers::<DeliveryItem>(200),
        Route::new(
            Method::Get,
            "/v1/deliveries/{delivery}/attempts",
            "listAttempts",
            "What was tried",
            attempts,
        )
        .answers::<Page<AttemptItem>>(200),
        Route::new(
            Method::Post,
            "/v1/deliveries/{delivery}/resend",
            "resendDelivery",
            "Deliver again",
            again,
        )
        .answers::<Resent>(202),
    ]
}

/// Which deliveries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeliveriesQuery {
    /// Of this event alone.
    #[schemars(with = "Option<String>", extend("pattern" = "^evt_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    event: Option<EventId>,
    /// To this endpoint alone.
    endpoint: Option<String>,
    /// In this state alone.
    state: Option<Standing>,
    /// Of events stored at this time or later.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    since: Option<Timestamp>,
    /// Of events stored before this time.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    until: Option<Timestamp>,
    /// In which order. Default: the newest first.
    #[serde(default)]
    order: Order,
    /// The `next` of the page before.
    #[schemars(extend("pattern" = page::PLACE_PATTERN))]
    cursor: Option<String>,
    /// How many, 1 to 500. Default: 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

/// One event owed to one endpoint.
#[derive(Debug, Serialize, JsonSchema)]
struct DeliveryItem {
    /// Its number.
    id: u64,
    /// What is owed.
    #[schemars(with = "String")]
    event: EventId,
    /// To whom.
    endpoint: String,
    /// Where it stands.
    state: Standing,
    /// When it is tried next. Only while it waits.
    #[schemars(with = "Option<String>")]
    due: Option<Timestamp>,
    /// How often it was begun.
    attempts: u32,
    /// Deliveries of one endpoint with the same key go one after the other.
    order_key: Option<String>,
}

impl From<Delivery> for DeliveryItem {
    fn from(delivery: Delivery) -> Self {
        let Delivery { id, event, endpoint, state, due, attempts, order_key } = delivery;
        Self { id: id.0, event, endpoint, state, due, attempts, order_key }
    }
}

/// One try to deliver.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AttemptItem {
    /// Which one, from 1; from 1 again after the delivery was sent again.
    pub(crate) number: u32,
    /// When it began.
    #[schemars(with = "String")]
    pub(crate) at: Timestamp,
    /// How long it took, in milliseconds.
    pub(crate) took_ms: u64,
    /// The status that was answered, if one was.
    pub(crate) status: Option<u16>,
    /// The call of a service at which it ended, by the name of its step; null where no service is called.
    pub(crate) step: Option<String>,
    /// Why it failed; null if the endpoint took the event.
    pub(crate) error: Option<String>,
    /// The first bytes of the answer, as text. Secrets are blanked.
    pub(crate) excerpt: String,
}

impl From<Attempt> for AttemptItem {
    fn from(attempt: Attempt) -> Self {
        let Attempt { number, at, took, status, step, error, excerpt } = attempt;
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let redact = |text: &str| Redactor::global().redact(text).into_owned();
        let excerpt = redact(&String::from_utf8_lossy(&excerpt));
        Self { number, at, took_ms, status, step, error: error.as_deref().map(redact), excerpt }
    }
}

/// How many deliveries were made due again.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Resent {
    /// So many.
    pub(crate) count: u64,
}

impl IntoResponse for Resent {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self)).into_response()
    }
}

async fn list(
    State(app): Shared,
    Asked(asked): Asked<DeliveriesQuery>,
) -> Result<Json<Page<DeliveryItem>>, Problem> {
    let from = page::from(asked.order, asked.cursor.as_deref())?;
    let query = DeliveryQuery {
        event: asked.event,
        endpoint: asked.endpoint,
        state: asked.state,
        since: asked.since,
        until: asked.until,
        from,
        limit: page::limit(asked.limit)?,
        ..DeliveryQuery::default()
    };
    let found = app.store.deliveries(query).await?;
    Ok(Json(page::of(from, found, |delivery| delivery.id.0).show(DeliveryItem::from)))
}

pub(crate) async fn find(app: &App, id: DeliveryId) -> Result<Delivery, Problem> {
    let from = Place::Before(id.0.saturating_add(1));
    let found = app.store.deliveries(DeliveryQuery { from, limit: 1, ..DeliveryQuery::default() }).await?;
    let found = found.items.into_iter().find(|delivery| delivery.id == id);
    found.ok_or_else(|| Problem::not_found(format!("delivery {id}")))
}

async fn get(State(app): Shared, Named(id): Named<DeliveryId>) -> Result<Json<DeliveryItem>, Problem> {
    Ok(Json(find(&app, id).await?.into()))
}

async fn attempts(
    State(app): Shared,
    Named(id): Named<DeliveryId>,
) -> Result<Json<Page<AttemptItem>>, Problem> {
    find(&app, id).await?;
    let tried = app.store.attempts(id).await?;
    Ok(Json(Page { items: tried.into_iter().map(AttemptItem::from).collect(), next: None }))
}

async fn again(State(app): Shared, Named(id): Named<DeliveryId>) -> Result<Resent, Problem> {
    let delivery = find(&app, id).await?;
    resend(&app, &[delivery]).await
}

/// Makes deliveries due now.
pub(crate) async fn resend(app: &App, deliveries: &[Delivery]) -> Result<Resent, Problem> {
    let now = app.dispatcher.now();
    let ids = deliveries.iter().map(|delivery| delivery.id).collect();
    let count = app.store.resend(ids, now, None).await?;
    deliveries.iter().for_each(|delivery| app.dispatcher.wake(&delivery.endpoint, now));
    Ok(Resent { count })
}
