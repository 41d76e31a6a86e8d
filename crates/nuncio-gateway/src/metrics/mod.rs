//! What is counted, in the text format of Prometheus.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::app::Shared;
use crate::auth;
use crate::problem::Problem;
use crate::token::Scope;

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    inbound: Family<Inbound, Counter>,
    inbound_time: Histogram,
    published: Family<Published, Counter>,
    pub(crate) connections: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Inbound {
    source: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Published {
    outcome: &'static str,
}

/// From a commit that is shared to a disk that is slow, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("nuncio");
        let (inbound, published, connections) = (Family::default(), Family::default(), Gauge::default());
        let inbound_time = Histogram::new(BUCKETS);
        registry.register(
            "inbound_requests",
            "Requests to /in, by source and what came of them",
            inbound.clone(),
        );
        registry.register_with_unit(
            "inbound_duration",
            "From the head of a request to /in to its answer",
            Unit::Seconds,
            inbound_time.clone(),
        );
        registry.register(
            "published_events",
            "Events that applications told of, by what came of them",
            published.clone(),
        );
        registry.register("connections", "Connections that are open", connections.clone());
        Self { registry, inbound, inbound_time, published, connections }
    }

    pub(crate) fn received(&self, source: &str, outcome: &'static str, took: Duration) {
        self.inbound.get_or_create(&Inbound { source: source.to_owned(), outcome }).inc();
        self.inbound_time.observe(took.as_secs_f64());
    }

    pub(crate) fn published(&self, outcome: &'static str) {
        self.published.get_or_create(&Published { outcome }).inc();
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// `/metrics`: to whoever is on this machine, or may read.
pub(crate) async fn show(State(app): Shared, headers: http::HeaderMap) -> Result<Response, Problem> {
    if !app.options.listen.ip().is_loopback() {
        auth::check(&app, &headers, Scope::Read)?;
    }
    let text = (header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    Ok(([text], app.metrics.text()).into_response())
}
