//! What is served where.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use http::{HeaderValue, StatusCode, header};

use crate::app::{App, Shared};
use crate::problem::Problem;
use crate::{api, dashboard, health, inbound, metrics};

/// What is served where.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/in/{source}", any(inbound::receive))
        .route("/metrics", get(metrics::show))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .merge(api::router(app))
        .merge(dashboard::router(app))
        .fallback(nothing)
        .method_not_allowed_fallback(not_this_way)
        .layer(from_fn_with_state(Arc::clone(app), bounded))
        .with_state(Arc::clone(app))
}

async fn nothing(request: Request) -> Problem {
    Problem::not_found(format!("page {:?}", request.uri().path()))
}

async fn not_this_way(request: Request) -> Problem {
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

async fn bounded(State(app): Shared, request: Request, next: Next) -> Response {
    let length = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    if length > app.options.limits.url_bytes.get() {
        let detail =
            format!("the URL is longer than the {} bytes that are taken", app.options.limits.url_bytes);
        return Problem::new(StatusCode::URI_TOO_LONG, "url_too_long", detail).into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
