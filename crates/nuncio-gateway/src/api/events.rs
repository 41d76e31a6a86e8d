//! Events that are stored.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;
use jiff::Timestamp;
use nuncio_relay::store::{DeliveryQuery, EventQuery, EventSummary};
use nuncio_relay::{EventId, Origin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::content::{Content, Header, headers};
use super::deliveries::{Resent, resend};
use super::given::{Asked, Named};
use super::page::{self, Order, Page};
use super::route::{Answer, Method, Route};

use crate::app::{App, Shared};
use crate::problem::Problem;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::Get, "/v1/events", "listEvents", "Events", list)
            .query::<EventsQuery>()
            .answers::<Page<EventItem>>(200),
        Route::new(Method::Get, "/v1/events/{event}", "getEvent", "An event with its body", get)
            .answers::<EventWhole>(200),
        Route::new(
            Method::Get,
            "/v1/events/{event}/body",
            "getEventBody",
            "The body of an event, byte for byte",
            body,
        )
        .answers_with(200, Answer::Bytes),
        Route::new(Method::Post, "/v1/events/{event}/resend", "resendEvent", "Deliver an event again", again)
            .query::<ResendQuery>()
            .answers::<Resent>(202),
    ]
}

/// Which events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// Of this origin alone: `source/NAME`, `application/NAME` or `relay`.
    #[schemars(with = "Option<String>", extend("pattern" = r"^((source|application)/[\s\S]+|relay)$"))]
    origin: Option<Origin>,
    /// Of this type alone.
    #[serde(rename = "type")]
    event_type: Option<String>,
    /// Stored at this time or later.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    since: Option<Timestamp>,
    /// Stored before this time.
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

/// An event, without its body.
#[derive(Debug, Serialize, JsonSchema)]
struct EventItem {
    /// Its id.
    #[schemars(with = "String")]
    id: EventId,
    /// Its place among all events, which is a cursor.
    position: u64,
    /// Where it comes from.
    #[schemars(with = "String")]
    origin: Origin,
    /// Its type; empty where the origin does not say.
    #[serde(rename = "type")]
    event_type: String,
    /// When it was stored.
    #[schemars(with = "String")]
    at: Timestamp,
    /// The length of its body in bytes.
    body_bytes: u64,
    /// To how many endpoints it is owed still.
    owed: u32,
    /// How many took it.
    delivered: u32,
    /// For how many it was given up.
    dead: u32,
}

impl From<EventSummary> for EventItem {
    fn from(event: EventSummary) -> Self {
        let EventSummary { position, id, origin, event_type, at, body_bytes, owed, delivered, dead } = event;
        Self { id, position, origin, event_type, at, body_bytes, owed, delivered, dead }
    }
}

/// An event with its body.
#[derive(Debug, Serialize, JsonSchema)]
struct EventWhole {
    /// Its id.
    #[schemars(with = "String")]
    id: EventId,
    /// Where it comes from.
    #[schemars(with = "String")]
    origin: Origin,
    /// Its type; empty where the origin does not say.
    #[serde(rename = "type")]
    event_type: String,
    /// When it was stored.
    #[schemars(with = "String")]
    at: Timestamp,
    /// The headers that it arrived with, in their order. Secrets are blanked.
    headers: Vec<Header>,
    /// Its body. Secrets are not blanked.
    #[serde(flatten)]
    content: Content,
}

/// Which deliveries of an event.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResendQuery {
    /// To this endpoint alone. Default: to all that it was owed to.
    endpoint: Option<String>,
}

async fn list(
    State(app): Shared,
    Asked(asked): Asked<EventsQuery>,
) -> Result<Json<Page<EventItem>>, Problem> {
    let from = page::from(asked.order, asked.cursor.as_deref())?;
    let query = EventQuery {
        origin: asked.origin,
        event_type: asked.event_type,
        since: asked.since,
        until: asked.until,
        from,
        limit: page::limit(asked.limit)?,
        ..EventQuery::default()
    };
    let found = app.store.events(query).await?;
    Ok(Json(page::of(from, found, |event| event.position).show(EventItem::from)))
}

pub(crate) async fn find(app: &App, id: EventId) -> Result<nuncio_relay::Event, Problem> {
    app.store.event(id).await?.ok_or_else(|| Problem::not_found(format!("event {id}")))
}

async fn get(State(app): Shared, Named(id): Named<EventId>) -> Result<Json<EventWhole>, Problem> {
    let event = find(&app, id).await?;
    Ok(Json(EventWhole {
        id,
        origin: event.origin,
        event_type: event.event_type,
        at: event.at,
        headers: headers(&event.headers),
        content: Content::new(&event.body),
    }))
}

async fn body(State(app): Shared, Named(id): Named<EventId>) -> Result<Response, Problem> {
    let event = find(&app, id).await?;
    // It is a stranger's: no browser shall take it for a page of ours.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, event.body).into_response())
}

async fn again(
    State(app): Shared,
    Named(id): Named<EventId>,
    Asked(asked): Asked<ResendQuery>,
) -> Result<Resent, Problem> {
    resend_event(&app, id, asked.endpoint).await
}

/// Makes the deliveries of an event due now: to one endpoint, or to all that it was owed to.
pub(crate) async fn resend_event(
    app: &App,
    id: EventId,
    endpoint: Option<String>,
) -> Result<Resent, Problem> {
    find(app, id).await?;
    // No more endpoints than can be set up are owed one event.
    let query = DeliveryQuery { event: Some(id), endpoint, limit: u32::MAX, ..DeliveryQuery::default() };
    let owed = app.store.deliveries(query).await?;
    resend(app, &owed.items).await
}
