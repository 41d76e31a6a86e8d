//! What is counted, in the text format of Prometheus.

mod attempts;
mod show;

use std::time::Duration;

use nuncio_relay::store::{EndpointStatus, Stats};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

pub(crate) use attempts::Counted;
pub(crate) use show::show;

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    inbound: Family<Inbound, Counter>,
    inbound_time: Histogram,
    published: Family<Published, Counter>,
    attempts: Family<Attempts, Counter>,
    attempt_time: Histogram,
    pub(crate) connections: Gauge,
    stored: Stored,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempts {
    endpoint: String,
    outcome: &'static str,
}

/// What the store says when it is asked.
struct Stored {
    events: Gauge,
    waiting: Gauge,
    dead: Gauge,
    bytes: Gauge,
    disabled: Gauge,
    failing: Gauge,
}

/// From a commit that is shared to a disk that is slow, or from a receiver nearby to one that is given up, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0, 30.0];

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("nuncio");
        let to = &mut registry;
        let inbound = add(
            to,
            "inbound_requests",
            "Requests to /in, by source and what came of them",
            Family::default(),
        );
        let published =
            add(to, "published_events", "Events of applications, by what came of them", Family::default());
        let attempts =
            add(to, "delivery_attempts", "Attempts, by endpoint and what came of them", Family::default());
        let connections = add(to, "connections", "Connections that are open", Gauge::default());
        let inbound_time =
            add_time(to, "inbound_duration", "From the head of a request to /in to its answer");
        let attempt_time = add_time(to, "delivery_duration", "How long attempts take");
        let stored = Stored {
            events: add(to, "store_events", "Events", Gauge::default()),
            waiting: add(to, "store_waiting", "Deliveries that wait", Gauge::default()),
            dead: add(to, "store_dead", "Dead letters", Gauge::default()),
            bytes: add(to, "store_bytes", "Bytes on disk", Gauge::default()),
            disabled: add(to, "endpoints_disabled", "Endpoints that nothing goes to", Gauge::default()),
            failing: add(to, "endpoints_failing", "Endpoints that fail", Gauge::default()),
        };
        Self { registry, inbound, inbound_time, published, attempts, attempt_time, connections, stored }
    }

    pub(crate) fn received(&self, source: &str, outcome: &'static str, took: Duration) {
        self.inbound.get_or_create(&Inbound { source: source.to_owned(), outcome }).inc();
        self.inbound_time.observe(took.as_secs_f64());
    }

    pub(crate) fn published(&self, outcome: &'static str) {
        self.published.get_or_create(&Published { outcome }).inc();
    }

    fn attempted(&self, endpoint: String, outcome: &'static str, took: Duration) {
        self.attempts.get_or_create(&Attempts { endpoint, outcome }).inc();
        self.attempt_time.observe(took.as_secs_f64());
    }

    fn store_says(&self, stats: Stats, endpoints: &[EndpointStatus]) {
        let set = |gauge: &Gauge, count: u64| {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        let count = |is: fn(&EndpointStatus) -> bool| endpoints.iter().filter(|one| is(one)).count() as u64;
        set(&self.stored.events, stats.events);
        set(&self.stored.waiting, stats.waiting);
        set(&self.stored.dead, stats.dead);
        set(&self.stored.bytes, stats.bytes);
        set(&self.stored.disabled, count(|endpoint| endpoint.disabled.is_some()));
        set(&self.stored.failing, count(|endpoint| endpoint.failing_since.is_some()));
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn add_time(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let time = Histogram::new(BUCKETS);
    registry.register_with_unit(name, help, Unit::Seconds, time.clone());
    time
}
