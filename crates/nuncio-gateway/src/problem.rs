//! Answers that say what is wrong: problem details (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use nuncio_client::{Error, Redactor};
use nuncio_relay::StoreError;
use schemars::JsonSchema;
use serde::Serialize;

/// What is wrong with a request, or with us (RFC 9457).
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the status says the kind (RFC 9457, section 4.2.1).
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong here, for people.
    detail: String,
    /// What is wrong, for programs.
    code: &'static str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        // What is wrong may be told with what was given, and that may be a secret.
        let detail = Redactor::global().redact(&detail.into()).into_owned();
        Self { kind: "about:blank", title, status: status.as_u16(), detail, code }
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {}", what.into()))
    }

    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// What was given is well formed, and cannot be.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// The code, for whoever gets several answers in one.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The status in words.
    pub(crate) fn title(&self) -> &str {
        self.title
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What is wrong.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::invalid(error.report())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Changed) {
            return Self::conflict("changed", error.to_string());
        }
        tracing::error!(%error, "the store failed");
        // Its file and what the disk says are for the log, not for whoever asks.
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", "the store cannot be used now: try again later")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let mut response = (status, [json], body).into_response();
        // For the dashboard, which says it in a page.
        response.extensions_mut().insert(self);
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
