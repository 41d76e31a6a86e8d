//! Schedules: what they call, when they ran and run next.

use askama::Template;
use axum::extract::State;
use http::HeaderMap;
use nuncio_client::Redactor;
use nuncio_relay::settings::Schedule;
use nuncio_relay::store::{Document, DocumentKind};

use super::events::base;
use super::page::{Frame, Paged, done, page, render};
use super::viewer::{Posted, Viewer};
use super::{live, show};
use crate::api::given::Named;
use crate::api::schedules::{Status, run_schedule, set_paused, statuses};
use crate::app::{App, Shared};
use crate::problem::Problem;

/// How many stand on the page.
const ROWS: usize = 100;

/// A schedule, and how it is.
struct Row {
    name: String,
    /// What it calls.
    task: String,
    /// When.
    times: String,
    status: Option<Status>,
    /// The query for the events that it made.
    events: String,
}

impl Row {
    fn new(name: &str, settings: &Schedule, status: Option<Status>) -> Self {
        let Schedule { cron, every, time_zone, pull, call, each, .. } = settings;
        let task = match (pull, call, each) {
            (Some(task), ..) => format!("pull {} {}", task.service, task.operation),
            (_, Some(task), _) => format!("call {} {}", task.service, task.operation),
            (.., Some(each)) => format!("each {} {}", each.service, each.operation),
            (None, None, None) => String::new(),
        };
        let times = match (cron, every) {
            (Some(cron), _) => format!("{cron} {}", time_zone.as_deref().unwrap_or("UTC")),
            (None, Some(every)) => format!("every {every}"),
            (None, None) => String::new(),
        };
        let events = show::query(&[("origin", Some(&format!("schedule/{name}")))]);
        Self { name: name.to_owned(), task, times, status, events }
    }

    fn is_paused(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.paused_at.is_some())
    }

    /// How it is, in a word that is also the name of a colour: by what it does, or did last.
    fn health(&self) -> &'static str {
        let Some(status) = &self.status else { return "idle" };
        match status.ended.first().map(|last| last.error.is_some()) {
            _ if status.run.is_some() => "running",
            _ if status.paused_at.is_some() => "paused",
            Some(true) => "failing",
            Some(false) => "healthy",
            None => "idle",
        }
    }

    /// Why its last run failed, secrets blanked.
    fn error(&self) -> Option<String> {
        let error = self.status.as_ref()?.ended.first()?.error.as_deref()?;
        Some(Redactor::global().redact(error).into_owned())
    }
}

#[derive(Template)]
#[template(path = "schedules_rows.html")]
struct Rows {
    items: Vec<Row>,
    may_write: bool,
    csrf: String,
    base: String,
}

#[derive(Template)]
#[template(path = "schedules.html")]
struct Schedules {
    frame: Frame,
    rows: String,
}

async fn rendered(app: &App, viewer: &Viewer) -> Result<String, Problem> {
    let mut statuses = statuses(app).await?;
    let current = app.registry.current();
    let row = |document: &Document| {
        let settings = serde_json::from_value(document.value.clone()).ok()?;
        Some(Row::new(&document.name, &settings, statuses.remove(&document.name)))
    };
    let items = current.of(DocumentKind::Schedule).take(ROWS).filter_map(row).collect();
    render(&Rows { items, may_write: viewer.may_write, csrf: viewer.csrf.clone(), base: base(app) })
}

pub(super) async fn list(viewer: Viewer, State(app): Shared) -> Paged {
    let rows = rendered(&app, &viewer).await?;
    let frame = Frame::new(&app, viewer, "schedules", "Schedules").await?;
    page(&Schedules { frame, rows })
}

pub(super) async fn live(_viewer: Viewer, State(app): Shared, headers: HeaderMap) -> Paged {
    live::live(app, headers, move |app, viewer| async move { rendered(&app, &viewer).await })
}

pub(super) async fn run(State(app): Shared, Named(name): Named<String>, _posted: Posted) -> Paged {
    run_schedule(&app, &name, false).await?;
    Ok(done("/schedules"))
}

pub(super) async fn pause(State(app): Shared, Named(name): Named<String>, _posted: Posted) -> Paged {
    set_paused(&app, &name, true).await?;
    Ok(done("/schedules"))
}

pub(super) async fn resume(State(app): Shared, Named(name): Named<String>, _posted: Posted) -> Paged {
    set_paused(&app, &name, false).await?;
    Ok(done("/schedules"))
}
