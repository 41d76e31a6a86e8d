//! What a request gives: its path, its query, its body. What is wrong with them is told as a [`Problem`].

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::text::Object;
use crate::app::App;
use crate::body;
use crate::problem::Problem;

/// The largest body of a request to the API, in bytes: 4 MiB.
const MAX_BODY_BYTES: u64 = 4 * 1024 * 1024;

/// What a path names.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, app).await {
            Ok(Path(named)) => Ok(Self(named)),
            Err(error) => Err(Problem::new(StatusCode::NOT_FOUND, "not_found", error.body_text())),
        }
    }
}

/// What a query asks.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, app).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(error) => Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", error.body_text())),
        }
    }
}

/// A body in JSON. None at all is `{}`.
pub(crate) struct Given<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let timeout = app.options.limits.body_timeout.0;
        let body = body::read(body, &parts.headers, MAX_BODY_BYTES, timeout).await?;
        if body.is_empty() {
            return read(b"{}");
        }
        // No page of a browser can send this type elsewhere without being asked.
        if !is_json(&parts.headers) {
            let detail = "the body is not called JSON: Content-Type: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        read(&body)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<Given<T>, Problem> {
    serde_json::from_slice(body).map(|Object(given)| Given(given)).map_err(|error| {
        let detail = format!("the body cannot be used: {error}");
        if error.is_data() {
            Problem::invalid(detail)
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "not_json", detail)
        }
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}
