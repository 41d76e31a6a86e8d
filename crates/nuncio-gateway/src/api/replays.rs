//! Bulk replay: jobs that make many deliveries due again.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use nuncio_relay::replay::{Job, Selection};
use nuncio_relay::store::DocumentKind;
use schemars::JsonSchema;
use serde::Serialize;

use super::documents::absent;
use super::given::{Asked, Given, Named};
use super::page::{ByName, Page};
use super::route::{Method, Route};
use crate::app::{App, Shared};
use crate::problem::Problem;

pub(super) fn routes() -> Vec<Route> {
    let begin_it = "Begin to deliver again what a selection names";
    let cancel_it = "End a replay; what it made due stays so";
    vec![
        Route::new(Method::Get, "/v1/replays", "listReplays", "Replays", list)
            .query::<ByName>()
            .answers::<Page<ReplayItem>>(200),
        Route::new(Method::Post, "/v1/replays", "beginReplay", begin_it, begin)
            .body::<Selection>()
            .answers::<Begun>(201),
        Route::new(Method::Get, "/v1/replays/{replay}", "getReplay", "A replay, and how far it is", get)
            .answers::<ReplayItem>(200),
        Route::new(Method::Post, "/v1/replays/{replay}/cancel", "cancelReplay", cancel_it, cancel)
            .answers::<ReplayItem>(200),
    ]
}

/// A replay that has begun.
#[derive(Debug, Serialize, JsonSchema)]
struct Begun {
    /// Its name.
    name: String,
}

/// A replay, and how far it is.
#[derive(Debug, Serialize, JsonSchema)]
struct ReplayItem {
    /// Its name.
    name: String,
    /// What it does, and how far it is.
    #[serde(flatten)]
    job: Job,
}

async fn list(State(app): Shared, Asked(asked): Asked<ByName>) -> Result<Json<Page<ReplayItem>>, Problem> {
    let jobs = asked.of(app.replays.list().await?, |(name, _)| name)?;
    Ok(Json(jobs.show(|(name, job)| ReplayItem { name, job })))
}

async fn begin(
    State(app): Shared,
    Given(selection): Given<Selection>,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    let name = begin_replay(&app, selection).await?;
    Ok((StatusCode::CREATED, Json(Begun { name })))
}

/// Begins a replay, and says its name.
pub(crate) async fn begin_replay(app: &App, selection: Selection) -> Result<String, Problem> {
    if app.registry.current().get(DocumentKind::Endpoint, &selection.endpoint).is_none() {
        return Err(absent(DocumentKind::Endpoint, &selection.endpoint));
    }
    Ok(app.replays.begin(selection).await?)
}

async fn get(State(app): Shared, Named(name): Named<String>) -> Result<Json<ReplayItem>, Problem> {
    let job = app.replays.list().await?.remove(&name).ok_or_else(|| absent(DocumentKind::Job, &name))?;
    Ok(Json(ReplayItem { name, job }))
}

async fn cancel(State(app): Shared, Named(name): Named<String>) -> Result<Json<ReplayItem>, Problem> {
    let job = app.replays.cancel(&name).await?.ok_or_else(|| absent(DocumentKind::Job, &name))?;
    Ok(Json(ReplayItem { name, job }))
}
