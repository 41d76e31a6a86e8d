//! Webhooks in.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use nuncio_relay::inbox::{Arrival, Received, Reply};
use tokio::time::Instant;

use crate::app::{App, Shared};
use crate::body;
use crate::client::{Client, Peer};
use crate::options::Options;
use crate::problem::Problem;

/// `/in/{source}`: any method, since some providers ask by GET whether anybody is there.
pub(crate) async fn receive(
    State(app): Shared,
    Extension(peer): Extension<Peer>,
    Path(source): Path<String>,
    request: Request,
) -> Response {
    let begun = Instant::now();
    let (outcome, response) = match take(&app, peer, &source, request).await {
        Ok(reply) => (outcome(&reply.received), answer(reply)),
        Err(problem) => (problem.code(), problem.into_response()),
    };
    // Anybody can ask for any name: only those that are set up get numbers of their own.
    let source = if outcome == "no_source" { "" } else { &source };
    app.metrics.received(source, outcome, begun.elapsed());
    response
}

async fn take(app: &Arc<App>, peer: Peer, name: &str, request: Request) -> Result<Reply, Problem> {
    let Some(source) = app.inbox.source(name) else {
        return Err(Problem::new(
            http::StatusCode::NOT_FOUND,
            "no_source",
            format!("there is no source {name:?}"),
        ));
    };
    let inbound = Inbound::read(request, peer, &app.options, source.max_body_bytes()).await?;
    Ok(app.inbox.receive(name, inbound.arrival()).await)
}

/// A request that was read.
pub(crate) struct Inbound {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Who sent it, and to which URL, as far as those before us are believed.
    pub(crate) client: Client,
}

impl Inbound {
    pub(crate) async fn read(
        request: Request,
        peer: Peer,
        options: &Options,
        max_body_bytes: u64,
    ) -> Result<Self, Problem> {
        let (Parts { method, uri, headers, .. }, body) = request.into_parts();
        let body = body::read(body, &headers, max_body_bytes, options.limits.body_timeout.0).await?;
        let client = Client::new(options, peer, &uri, &headers);
        Ok(Self { method, headers, body, client })
    }

    pub(crate) fn arrival(&self) -> Arrival<'_> {
        Arrival {
            method: &self.method,
            url: &self.client.url,
            headers: &self.headers,
            body: &self.body,
            peer: Some(self.client.address),
        }
    }
}

pub(crate) fn answer(reply: Reply) -> Response {
    let mut response = Response::new(reply.body.into());
    *response.status_mut() = reply.status;
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    // What a handshake echoes is of the requester's making.
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// What came of a request, in a word of the metrics.
fn outcome(received: &Received) -> &'static str {
    match received {
        Received::Stored(_) => "stored",
        Received::Unverified(..) => "unverified",
        Received::Duplicate(_) => "duplicate",
        Received::Handshake => "handshake",
        Received::Refused(_) => "refused",
        Received::ForeignAddress => "foreign_address",
        Received::NoSource => "no_source",
        Received::Unavailable(_) => "unavailable",
    }
}
