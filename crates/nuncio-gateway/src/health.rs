//! Whether it lives, and whether it can work.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use crate::app::Shared;
use crate::problem::Problem;

/// It lives: it answers.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// It can work: the store answers.
pub(crate) async fn ready(State(app): Shared) -> Response {
    match app.store.documents().await {
        Ok(_) => "ok\n".into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}
