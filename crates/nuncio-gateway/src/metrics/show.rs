//! `/metrics`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};

use crate::app::Shared;
use crate::auth;
use crate::problem::Problem;
use crate::token::Scope;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// To whoever is on this machine, or may read.
pub(crate) async fn show(State(app): Shared, headers: HeaderMap) -> Result<Response, Problem> {
    if !app.options.listen.ip().is_loopback() {
        auth::check(&app, &headers, Scope::Read)?;
    }
    app.metrics.store_says(app.store.stats().await?, &app.store.endpoints().await?);
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], app.metrics.text()).into_response())
}
