//! How much there is.

use axum::Json;
use axum::extract::State;
use nuncio_relay::store;
use schemars::JsonSchema;
use serde::Serialize;

use super::route::{Method, Route};
use crate::app::Shared;
use crate::problem::Problem;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(Method::Get, "/v1/stats", "getStats", "How much there is", stats).answers::<Stats>(200)]
}

/// How much there is.
#[derive(Debug, Serialize, JsonSchema)]
struct Stats {
    /// Events.
    events: u64,
    /// Deliveries that wait, those parked included.
    waiting: u64,
    /// Dead letters.
    dead: u64,
    /// Bytes on disk.
    bytes: u64,
}

async fn stats(State(app): Shared) -> Result<Json<Stats>, Problem> {
    let store::Stats { events, waiting, dead, bytes } = app.store.stats().await?;
    Ok(Json(Stats { events, waiting, dead, bytes }))
}
