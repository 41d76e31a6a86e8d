//! Bulk replay: begun, followed, cancelled.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use http::HeaderMap;
use nuncio_relay::replay::{Job, Selection};
use nuncio_relay::store::{DeliveryQuery, DocumentKind};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::deliveries::endpoints;
use super::events::base;
use super::live;
use super::page::{Frame, Paged, done, page, render};
use super::show;
use super::viewer::{Posted, Viewer};
use crate::api::documents::absent;
use crate::api::given::{Asked, Named};
use crate::api::replays::begin_replay;
use crate::app::{App, Shared};
use crate::problem::Problem;

/// How many stand on the page.
const ROWS: usize = 50;

/// A replay, and how far it is.
struct Row {
    name: String,
    job: Job,
    /// How far it is among all deliveries to its endpoint, in percent.
    percent: u64,
}

#[derive(Template)]
#[template(path = "replays_rows.html")]
struct Rows {
    items: Vec<Row>,
    may_write: bool,
    csrf: String,
    base: String,
}

#[derive(Template)]
#[template(path = "replays.html")]
struct Replays {
    frame: Frame,
    endpoints: Vec<String>,
    asked: Asking,
    rows: String,
}

/// What the form says at first.
#[derive(Debug, Deserialize)]
pub(super) struct Asking {
    #[serde(default)]
    endpoint: String,
}

async fn rendered(app: &App, viewer: &Viewer) -> Result<String, Problem> {
    let mut jobs: Vec<_> = app.replays.list().await?.into_iter().collect();
    jobs.sort_by_key(|(_, job)| std::cmp::Reverse(job.begun_at));
    jobs.truncate(ROWS);
    let mut last = BTreeMap::new();
    let mut items = Vec::with_capacity(jobs.len());
    for (name, job) in jobs {
        let percent = if job.ended_at.is_some() { 100 } else { percent(app, &job, &mut last).await? };
        items.push(Row { name, job, percent });
    }
    render(&Rows { items, may_write: viewer.may_write, csrf: viewer.csrf.clone(), base: base(app) })
}

/// `last` are the newest deliveries of endpoints that were asked for already.
async fn percent(app: &App, job: &Job, last: &mut BTreeMap<String, u64>) -> Result<u64, Problem> {
    let endpoint = &job.selection.endpoint;
    let newest = match last.get(endpoint) {
        Some(newest) => *newest,
        None => {
            let query =
                DeliveryQuery { endpoint: Some(endpoint.clone()), limit: 1, ..DeliveryQuery::default() };
            let found = app.store.deliveries(query).await?.items.first().map_or(0, |delivery| delivery.id.0);
            *last.entry(endpoint.clone()).or_insert(found)
        }
    };
    // Not all until it has ended.
    Ok((job.after * 100).checked_div(newest).unwrap_or(0).min(99))
}

pub(super) async fn list(viewer: Viewer, State(app): Shared, Asked(asked): Asked<Asking>) -> Paged {
    let rows = rendered(&app, &viewer).await?;
    let frame = Frame::new(&app, viewer, "replays", "Replays").await?;
    page(&Replays { frame, endpoints: endpoints(&app), asked, rows })
}

pub(super) async fn live(_viewer: Viewer, State(app): Shared, headers: HeaderMap) -> Paged {
    live::live(app, headers, move |app, viewer| async move { rendered(&app, &viewer).await })
}

pub(super) async fn begin(State(app): Shared, posted: Posted) -> Paged {
    let mut selection = Map::new();
    for name in ["endpoint", "state", "since", "until"] {
        if let Some(value) = posted.fields.get(name) {
            selection.insert(name.to_owned(), Value::from(value));
        }
    }
    if let Some(rate) = posted.fields.get("per_second") {
        let rate = rate
            .parse::<u32>()
            .map_err(|_| Problem::invalid("the rate is a number of deliveries a second"))?;
        selection.insert("per_second".to_owned(), Value::from(rate));
    }
    let selection: Selection =
        serde_json::from_value(selection.into()).map_err(|error| Problem::invalid(error.to_string()))?;
    begin_replay(&app, selection).await?;
    Ok(done("/replays"))
}

pub(super) async fn cancel(State(app): Shared, Named(name): Named<String>, _posted: Posted) -> Paged {
    app.replays.cancel(&name).await?.ok_or_else(|| absent(DocumentKind::Job, &name))?;
    Ok(done("/replays"))
}
