//! Events: the live list, and one of them with all that is known of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, header};
use nuncio_relay::store::{DeliveryQuery, DocumentKind, EventQuery, EventSummary};
use nuncio_relay::{Event, EventId, Origin};
use serde::Deserialize;

use super::deliveries::{Row, rows};
use super::explanation::{Explained, explain};
use super::live;
use super::page::{Frame, Paged, done, page, render};
use super::show;
use super::viewer::{Posted, Viewer};
use crate::api::content::{Header, headers};
use crate::api::deliveries::AttemptItem;
use crate::api::events::{find, resend_event};
use crate::api::given::{Asked, Named};
use crate::api::page::{Order, from};
use crate::app::{App, Shared};
use crate::problem::Problem;

/// How many stand on a page.
pub(super) const ROWS: u32 = 50;

/// How many events are looked at to find those that are asked for.
const LOOK_AT: u32 = 10_000;

/// How many bodies are looked into for a text.
const LOOK_INTO: u32 = 2_000;

/// As much of a body as a page shows.
const SHOWN_BYTES: usize = 128 * 1024;

/// Which events.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Filter {
    /// A text of their bodies, or an id.
    #[serde(default)]
    q: String,
    #[serde(default, rename = "type")]
    event_type: String,
    #[serde(default)]
    origin: String,
    #[serde(default)]
    state: String,
    cursor: Option<String>,
}

impl Filter {
    fn query(&self) -> Result<EventQuery, Problem> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let origin = given(&self.origin).map(|origin| origin.parse::<Origin>());
        let text = given(&self.q);
        Ok(EventQuery {
            origin: origin.transpose().map_err(|error| Problem::invalid(error.to_string()))?,
            event_type: given(&self.event_type),
            state: show::state(&self.state),
            look_at: Some(if text.is_some() { LOOK_INTO } else { LOOK_AT }),
            text,
            from: from(Order::Newest, self.cursor.as_deref())?,
            limit: ROWS,
            ..EventQuery::default()
        })
    }

    fn with_cursor(&self, cursor: Option<&str>) -> String {
        let Self { q, event_type, origin, state, .. } = self;
        let (q, event_type, origin, state) =
            (Some(&**q), Some(&**event_type), Some(&**origin), Some(&**state));
        show::query(&[
            ("q", q),
            ("type", event_type),
            ("origin", origin),
            ("state", state),
            ("cursor", cursor),
        ])
    }

    fn is_empty(&self) -> bool {
        self.with_cursor(self.cursor.as_deref()).is_empty()
    }
}

#[derive(Template)]
#[template(path = "events_rows.html")]
struct Rows {
    items: Vec<EventSummary>,
    older: Option<String>,
    /// Whether there is more than was looked at.
    is_cut: bool,
    is_filtered: bool,
    /// A source, and the provider whose scheme it has.
    source: Option<(String, String)>,
    base: String,
}

#[derive(Template)]
#[template(path = "events.html")]
struct Events {
    frame: Frame,
    filter: Filter,
    origins: Vec<String>,
    live: String,
    is_live: bool,
    rows: String,
}

async fn rendered(app: &App, filter: &Filter) -> Result<String, Problem> {
    let found = app.store.events(filter.query()?).await?;
    let is_cut = found.next.is_some() && found.items.len() < ROWS as usize;
    let older = found.next.map(|next| filter.with_cursor(Some(&next.to_string())));
    let current = app.registry.current();
    let source = current.of(DocumentKind::Source).next().map(|document| {
        let source = app.inbox.source(&document.name);
        let provider = source.as_ref().and_then(|source| source.provider()).unwrap_or("scheme.json");
        (document.name.clone(), provider.to_owned())
    });
    render(&Rows {
        items: found.items,
        older,
        is_cut,
        is_filtered: !filter.is_empty(),
        source,
        base: base(app),
    })
}

/// Where we are reached, as far as is known.
pub(super) fn base(app: &App) -> String {
    let scheme = if app.options.tls.is_some() { "https" } else { "http" };
    let own = || format!("{scheme}://{}", app.options.listen);
    app.options.public_url.as_ref().map_or_else(own, |url| url.trim_end_matches('/').to_owned())
}

pub(super) async fn list(viewer: Viewer, State(app): Shared, Asked(filter): Asked<Filter>) -> Paged {
    if let Ok(id) = filter.q.trim().parse::<EventId>() {
        return Ok(done(&format!("/events/{id}")));
    }
    let frame = Frame::new(&app, viewer, "events", "Events").await?;
    let current = app.registry.current();
    let named = |kind, prefix| current.of(kind).map(move |document| format!("{prefix}/{}", document.name));
    let mut origins: Vec<_> = named(DocumentKind::Source, "source").collect();
    origins.extend(named(DocumentKind::Application, "application"));
    origins.extend(named(DocumentKind::Schedule, "schedule"));
    origins.push("relay".to_owned());
    let rows = rendered(&app, &filter).await?;
    let live = filter.with_cursor(None);
    // What is older than a place does not change by what arrives, and what is looked for in bodies costs too much to be looked for all the time.
    let is_live = filter.cursor.is_none() && filter.q.trim().is_empty();
    page(&Events { frame, filter, origins, live, is_live, rows })
}

pub(super) async fn live(
    _viewer: Viewer,
    State(app): Shared,
    headers: HeaderMap,
    Asked(filter): Asked<Filter>,
) -> Paged {
    let filter = Arc::new(Filter { q: String::new(), cursor: None, ..filter });
    live::live(app, headers, move |app, _| {
        let filter = Arc::clone(&filter);
        async move { rendered(&app, &filter).await }
    })
}

/// A body as it is shown.
struct Body {
    text: String,
    /// The same, with the line breaks that JSON has for people.
    formatted: Option<String>,
    is_binary: bool,
    is_cut: bool,
    bytes: u64,
}

impl Body {
    fn new(body: &Bytes) -> Self {
        let bytes = body.len() as u64;
        let shown = &body[..body.len().min(SHOWN_BYTES)];
        let is_cut = shown.len() < body.len();
        let text = match std::str::from_utf8(shown) {
            Ok(text) => Some(text),
            // A character that was cut in two is no sign of bytes.
            Err(error) if is_cut && error.error_len().is_none() => {
                std::str::from_utf8(&shown[..error.valid_up_to()]).ok()
            }
            Err(_) => None,
        };
        let formatted = text.filter(|_| !is_cut).and_then(|text| {
            let value: serde_json::Value = serde_json::from_str(text).ok()?;
            serde_json::to_string_pretty(&value).ok().filter(|pretty| pretty != text)
        });
        let is_binary = text.is_none();
        let text = text.map_or_else(|| dump(&shown[..shown.len().min(4096)]), str::to_owned);
        Self { text, formatted, is_binary, is_cut: is_cut || (is_binary && bytes > 4096), bytes }
    }
}

/// Sixteen bytes a line, in hexadecimal digits and as far as they are ASCII.
fn dump(bytes: &[u8]) -> String {
    let lines = bytes.chunks(16).enumerate().map(|(place, line)| {
        let digits: String = line.iter().map(|byte| format!("{byte:02x} ")).collect();
        let text: String =
            line.iter().map(|byte| if (32..127).contains(byte) { char::from(*byte) } else { '.' }).collect();
        format!("{:08x}  {digits:<48} {text}\n", place * 16)
    });
    lines.collect()
}

/// A delivery of the event, and what was tried.
struct Owed {
    row: Row,
    attempts: Vec<AttemptItem>,
}

#[derive(Template)]
#[template(path = "event_deliveries.html")]
struct Deliveries {
    event: EventId,
    owed: Vec<Owed>,
    may_write: bool,
    csrf: String,
}

#[derive(Template)]
#[template(path = "event.html")]
struct Whole {
    frame: Frame,
    event: Event,
    headers: Vec<Header>,
    body: Body,
    explained: Option<Explained>,
    deliveries: String,
    resent: Option<u64>,
    has_deliveries: bool,
    /// The query for all events of its origin.
    same_origin: String,
}

async fn deliveries(app: &App, event: EventId, viewer: &Viewer) -> Result<(String, bool), Problem> {
    let query = DeliveryQuery { event: Some(event), limit: 200, ..DeliveryQuery::default() };
    let mut owed = Vec::new();
    for row in rows(app, app.store.deliveries(query).await?.items).await? {
        let tried = app.store.attempts(row.delivery.id).await?;
        owed.push(Owed { row, attempts: tried.into_iter().rev().map(AttemptItem::from).collect() });
    }
    let has_any = !owed.is_empty();
    let (may_write, csrf) = (viewer.may_write, viewer.csrf.clone());
    Ok((render(&Deliveries { event, owed, may_write, csrf })?, has_any))
}

/// How many were made due again, by the page that comes after.
#[derive(Debug, Deserialize)]
pub(super) struct Resent {
    resent: Option<u64>,
}

pub(super) async fn show(
    viewer: Viewer,
    State(app): Shared,
    Named(id): Named<EventId>,
    Asked(Resent { resent }): Asked<Resent>,
) -> Paged {
    let event = find(&app, id).await?;
    let (deliveries, has_deliveries) = deliveries(&app, id, &viewer).await?;
    let title = if event.event_type.is_empty() { "Event".to_owned() } else { event.event_type.clone() };
    let frame = Frame::new(&app, viewer, "events", title).await?;
    let explained = match &event.origin {
        Origin::Source(name) => explain(&app, name, &event.headers, &event.body, event.at),
        Origin::Application(_) | Origin::Schedule(_) | Origin::Relay => None,
    };
    let (headers, body) = (headers(&event.headers), Body::new(&event.body));
    let same_origin = show::query(&[("origin", Some(&event.origin.to_string()))]);
    page(&Whole { frame, headers, body, explained, deliveries, resent, has_deliveries, same_origin, event })
}

pub(super) async fn live_deliveries(
    _viewer: Viewer,
    State(app): Shared,
    headers: HeaderMap,
    Named(id): Named<EventId>,
) -> Paged {
    find(&app, id).await?;
    live::live(app, headers, move |app, viewer| async move { Ok(deliveries(&app, id, &viewer).await?.0) })
}

pub(super) async fn body(
    _viewer: Viewer,
    State(app): Shared,
    Named(id): Named<EventId>,
) -> Result<Response, Problem> {
    let event = find(&app, id).await?;
    // It is a stranger's: no browser shall take it for a page of ours.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{id}\"")),
    ];
    Ok((headers, event.body).into_response())
}

pub(super) async fn resend(State(app): Shared, Named(id): Named<EventId>, posted: Posted) -> Paged {
    let endpoint = posted.fields.get("endpoint").map(str::to_owned);
    let resent = resend_event(&app, id, endpoint).await?;
    Ok(done(&format!("/events/{id}?resent={}", resent.count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_dumped_and_a_cut_character_is_no_byte() {
        let binary = Body::new(&Bytes::from_static(b"\xff\x00<script>"));
        assert!(binary.is_binary && binary.text.starts_with("00000000  ff 00 3c"), "{}", binary.text);
        let long = Body::new(&Bytes::from(format!("x{}", "ä".repeat(SHOWN_BYTES))));
        assert!(!long.is_binary && long.is_cut);
    }

    #[test]
    fn json_is_shown_as_it_arrived_and_formatted() {
        let body = Body::new(&Bytes::from_static(br#"{"amount":1.10}"#));
        assert_eq!(body.text, r#"{"amount":1.10}"#);
        assert!(body.formatted.is_some());
    }
}
