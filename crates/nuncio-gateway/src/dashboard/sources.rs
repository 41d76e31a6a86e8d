//! Sources: what arrives by them, and what they refused.

use askama::Template;
use axum::extract::State;
use jiff::Timestamp;
use nuncio_relay::Origin;
use nuncio_relay::store::{Document, DocumentKind, Refused};
use serde::Deserialize;

use super::events::base;
use super::explanation::{Explained, explain};
use super::page::{Frame, Paged, page};
use super::show;
use super::spark::Spark;
use super::viewer::Viewer;
use crate::api::content::{Header, headers};
use crate::api::documents::absent;
use crate::api::given::{Asked, Named};
use crate::app::{App, Shared};
use crate::problem::Problem;

/// How many stand on a page.
const ROWS: usize = 50;

/// How many events of a source are looked at.
const LOOK_AT: u32 = 1000;

/// How many refused requests stand on a page.
const REFUSED: u32 = 10;

/// The longest body of a refused request that is explained, in bytes: what is tried to find what went wrong is paid for by us, and anybody can send it.
const EXPLAINED_BYTES: usize = 64 * 1024;

/// As much of the body of a refused request as is shown.
const SHOWN_BYTES: usize = 4096;

/// A source, and what arrives by it.
struct Row {
    name: String,
    scheme: String,
    newest: Option<Timestamp>,
    refused: Option<Refused>,
    spark: Spark,
}

impl Row {
    /// How it is, in a word that is also the name of a colour: by what came last.
    fn health(&self) -> &'static str {
        match (self.newest, self.refused.as_ref().map(|refused| refused.at)) {
            (None, None) => "idle",
            (newest, Some(refused)) if newest.is_none_or(|newest| refused > newest) => "refusing",
            _ => "healthy",
        }
    }
}

async fn described(app: &App, documents: &[Document]) -> Result<Vec<Row>, Problem> {
    let origin = |document: &Document| Origin::Source(document.name.clone());
    let arrivals = app.store.arrivals(documents.iter().map(origin).collect(), LOOK_AT).await?;
    let mut rows = Vec::with_capacity(documents.len());
    for (document, times) in documents.iter().zip(arrivals) {
        let source = app.inbox.source(&document.name);
        rows.push(Row {
            name: document.name.clone(),
            scheme: source.as_ref().and_then(|source| source.provider()).unwrap_or("own scheme").to_owned(),
            newest: times.first().copied(),
            refused: app.store.refused(origin(document), 1).await?.into_iter().next(),
            spark: Spark::arrivals(&times, app.now()),
        });
    }
    Ok(rows)
}

/// From which one on.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "sources.html")]
struct Sources {
    frame: Frame,
    items: Vec<Row>,
    next: Option<String>,
    base: String,
}

pub(super) async fn list(viewer: Viewer, State(app): Shared, Asked(place): Asked<Place>) -> Paged {
    let current = app.registry.current();
    let is_later = |document: &&Document| place.after.as_ref().is_none_or(|after| document.name > *after);
    let mut documents: Vec<_> =
        current.of(DocumentKind::Source).filter(is_later).take(ROWS + 1).cloned().collect();
    let has_more = documents.len() > ROWS;
    documents.truncate(ROWS);
    let next = documents.last().filter(|_| has_more).map(|last| show::query(&[("after", Some(&last.name))]));
    let items = described(&app, &documents).await?;
    let frame = Frame::new(&app, viewer, "sources", "Sources").await?;
    page(&Sources { frame, items, next, base: base(&app) })
}

/// A request that was refused.
struct Refusal {
    at: Timestamp,
    reason: String,
    headers: Vec<Header>,
    body: String,
    bytes: u64,
    explained: Option<Explained>,
}

#[derive(Template)]
#[template(path = "source.html")]
struct One {
    frame: Frame,
    row: Row,
    url: String,
    refused: Vec<Refusal>,
    events: String,
}

pub(super) async fn show(viewer: Viewer, State(app): Shared, Named(name): Named<String>) -> Paged {
    let current = app.registry.current();
    let found = current.get(DocumentKind::Source, &name);
    let document = found.ok_or_else(|| absent(DocumentKind::Source, &name))?;
    let rows = described(&app, std::slice::from_ref(document)).await?;
    let row = rows.into_iter().next().ok_or_else(|| absent(DocumentKind::Source, &name))?;
    let refused = app.store.refused(Origin::Source(name.clone()), REFUSED).await?;
    let explained = |refused: &Refused| {
        let is_small = refused.body.len() <= EXPLAINED_BYTES;
        is_small.then(|| explain(&app, &name, &refused.headers, &refused.body, refused.at)).flatten()
    };
    let refusal = |refused: Refused| Refusal {
        explained: explained(&refused),
        headers: headers(&refused.headers),
        body: String::from_utf8_lossy(&refused.body[..refused.body.len().min(SHOWN_BYTES)]).into_owned(),
        bytes: refused.body.len() as u64,
        at: refused.at,
        reason: refused.reason,
    };
    let refused = refused.into_iter().map(refusal).collect();
    let url = format!("{}/in/{name}", base(&app));
    let events = show::query(&[("origin", Some(&format!("source/{name}")))]);
    let frame = Frame::new(&app, viewer, "sources", name).await?;
    page(&One { frame, row, url, refused, events })
}
