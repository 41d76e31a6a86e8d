//! Endpoints: how they are, and switching them off and on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use http::HeaderMap;
use nuncio_relay::dispatch::{Breaker, Pace};
use nuncio_relay::settings::{Endpoint, Target};
use nuncio_relay::store::{Activity, Document, DocumentKind, EndpointStatus, HealthChange, Lately};
use serde::Deserialize;

use super::deliveries::{self, Filter};
use super::events::base;
use super::live;
use super::page::{Frame, Paged, done, page, render};
use super::show::{self, COUNTED};
use super::spark::{Spark, median};
use super::viewer::{Posted, Viewer};
use crate::api::documents::absent;
use crate::api::endpoints::set_health;
use crate::api::given::{Asked, Named};
use crate::app::{App, Shared};
use crate::problem::Problem;
use crate::secrets;

/// How many stand on a page.
const ROWS: usize = 50;

/// How many attempts are looked at.
const TRIED: u32 = 50;

/// How long the dispatcher has to say how endpoints are delivered to.
const PACES: Duration = Duration::from_secs(1);

/// An endpoint, and how it is.
struct Row {
    name: String,
    from: String,
    target: String,
    status: Option<EndpointStatus>,
    pace: Option<Pace>,
    activity: Activity,
}

impl Row {
    fn new(
        document: &Document,
        statuses: &BTreeMap<String, EndpointStatus>,
        paces: &BTreeMap<String, Pace>,
        activity: Activity,
    ) -> Self {
        let settings = serde_json::from_value::<Endpoint>(document.value.clone());
        let (from, target) = settings.map_or_else(
            |_| (String::new(), String::new()),
            |settings| (settings.from.to_string(), target(&settings.to)),
        );
        let name = document.name.clone();
        let (status, pace) = (statuses.get(&name).cloned(), paces.get(&name).copied());
        Self { name, from, target, status, pace, activity }
    }

    fn is_disabled(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.disabled.is_some())
    }

    /// How it is, in a word that is also the name of a colour.
    fn health(&self) -> &'static str {
        let is_failing = self.status.as_ref().is_some_and(|status| status.failing_since.is_some());
        match self.pace.map(|pace| pace.breaker) {
            _ if self.is_disabled() => "disabled",
            Some(Breaker::Open { .. } | Breaker::Probing) => "open",
            Some(Breaker::Closed { failures: 1.. }) => "failing",
            _ if is_failing => "failing",
            _ if self.activity.tried.is_empty() => "idle",
            _ => "healthy",
        }
    }

    /// How many of the last attempts were taken, in percent.
    fn success(&self) -> Option<usize> {
        let taken = self.activity.tried.iter().filter(|tried| tried.error.is_none()).count();
        (taken * 100).checked_div(self.activity.tried.len())
    }

    fn median(&self) -> Option<String> {
        median(&self.activity.tried).as_ref().map(show::took)
    }

    fn spark(&self) -> Spark {
        Spark::latencies(&self.activity.tried)
    }
}

/// Where it goes to, without what may be secret in it.
fn target(target: &Target) -> String {
    match target {
        Target::Http(http) => http.url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        Target::Operation(_) | Target::Operations(_) => {
            let steps = target.operations().unwrap_or_default().iter();
            let steps = steps.map(|step| format!("{} {}", step.service, step.operation));
            steps.collect::<Vec<_>>().join(", then ")
        }
        Target::Command(command) => format!("command {}", command.run.first().map_or("", String::as_str)),
        Target::File(file) => format!("file {}", file.path.display()),
    }
}

async fn described(app: &App, documents: &[Document]) -> Result<Vec<Row>, Problem> {
    let names: Vec<_> = documents.iter().map(|document| document.name.clone()).collect();
    let lately = Lately { deliveries: TRIED, count: COUNTED + 1 };
    let statuses =
        app.store.endpoints().await?.into_iter().map(|status| (status.name.clone(), status)).collect();
    // Nobody waits for a dispatcher that has ended.
    let paces = tokio::time::timeout(PACES, app.dispatcher.paces()).await.unwrap_or_default();
    let activities = app.store.activity(names, lately).await?;
    let described = documents.iter().zip(activities);
    Ok(described.map(|(document, activity)| Row::new(document, &statuses, &paces, activity)).collect())
}

/// From which one on.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Place {
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "endpoints_rows.html")]
struct Rows {
    items: Vec<Row>,
    next: Option<String>,
    may_write: bool,
    csrf: String,
    base: String,
}

#[derive(Template)]
#[template(path = "endpoints.html")]
struct Endpoints {
    frame: Frame,
    live: String,
    rows: String,
}

async fn rendered(app: &App, viewer: &Viewer, place: &Place) -> Result<String, Problem> {
    let current = app.registry.current();
    let is_later = |document: &&Document| place.after.as_ref().is_none_or(|after| document.name > *after);
    let mut documents: Vec<_> =
        current.of(DocumentKind::Endpoint).filter(is_later).take(ROWS + 1).cloned().collect();
    let has_more = documents.len() > ROWS;
    documents.truncate(ROWS);
    let next = documents.last().filter(|_| has_more).map(|last| show::query(&[("after", Some(&last.name))]));
    let items = described(app, &documents).await?;
    render(&Rows { items, next, may_write: viewer.may_write, csrf: viewer.csrf.clone(), base: base(app) })
}

pub(super) async fn list(viewer: Viewer, State(app): Shared, Asked(place): Asked<Place>) -> Paged {
    let rows = rendered(&app, &viewer, &place).await?;
    let frame = Frame::new(&app, viewer, "endpoints", "Endpoints").await?;
    page(&Endpoints { frame, live: show::query(&[("after", place.after.as_deref())]), rows })
}

pub(super) async fn live(
    _viewer: Viewer,
    State(app): Shared,
    headers: HeaderMap,
    Asked(place): Asked<Place>,
) -> Paged {
    let place = Arc::new(place);
    live::live(app, headers, move |app, viewer| {
        let place = Arc::clone(&place);
        async move { rendered(&app, &viewer, &place).await }
    })
}

#[derive(Template)]
#[template(path = "endpoint.html")]
struct One {
    frame: Frame,
    row: Row,
    settings: String,
    is_from_file: bool,
    deliveries: String,
    live: String,
}

pub(super) async fn show(viewer: Viewer, State(app): Shared, Named(name): Named<String>) -> Paged {
    let current = app.registry.current();
    let found = current.get(DocumentKind::Endpoint, &name);
    let document = found.ok_or_else(|| absent(DocumentKind::Endpoint, &name))?;
    let rows = described(&app, std::slice::from_ref(document)).await?;
    let row = rows.into_iter().next().ok_or_else(|| absent(DocumentKind::Endpoint, &name))?;
    let settings = secrets::blank(DocumentKind::Endpoint, document.value.clone());
    let settings = serde_json::to_string_pretty(&settings).unwrap_or_default();
    let filter = Filter::of(&name);
    let deliveries = deliveries::rendered(&app, &filter).await?;
    let frame = Frame::new(&app, viewer, "endpoints", name).await?;
    let live = filter.with_cursor(None);
    page(&One { frame, row, settings, is_from_file: document.from_file, deliveries, live })
}

pub(super) async fn enable(State(app): Shared, Named(name): Named<String>, _posted: Posted) -> Paged {
    set_health(&app, name.clone(), HealthChange::Enable).await?;
    Ok(done(&format!("/endpoints/{name}")))
}

pub(super) async fn disable(State(app): Shared, Named(name): Named<String>, posted: Posted) -> Paged {
    let reason = posted.fields.get("reason").unwrap_or("by the dashboard").to_owned();
    set_health(&app, name.clone(), HealthChange::Disable { at: app.now(), reason }).await?;
    Ok(done(&format!("/endpoints/{name}")))
}
