//! The API under `/v1`: a table of routes, from which both the router and the OpenAPI document are made.

pub(crate) mod content;
pub(crate) mod deliveries;
pub(crate) mod documents;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod given;
mod openapi;
pub(crate) mod page;
mod publish;
pub(crate) mod replays;
mod route;
pub(crate) mod schedules;
mod sources;
mod stats;
mod text;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;
use route::Route;

pub use openapi::openapi;

/// All routes.
fn routes() -> Vec<Route> {
    [
        publish::routes(),
        events::routes(),
        deliveries::routes(),
        sources::routes(),
        endpoints::routes(),
        replays::routes(),
        schedules::routes(),
        documents::routes(),
        tokens::routes(),
        stats::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The API.
pub(crate) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let open = Router::new().route("/v1/openapi.json", get(async || axum::Json(openapi())));
    routes().into_iter().fold(open, |router, route| route.mount(router, app))
}
