//! What the relay has to tell of itself: events like any other, of the origin `relay`.

use bytes::Bytes;
use jiff::Timestamp;
use nuncio_client::Random;
use serde_json::{Value, json};

use crate::{DeliveryId, Event, EventId, Headers, Origin};

/// What the relay has to tell of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// An endpoint is taken for dead.
    EndpointFailing {
        /// Its name.
        endpoint: String,
        /// Since when.
        since: Timestamp,
        /// What failed last.
        reason: String,
    },
    /// An endpoint that failed took an event.
    EndpointRecovered {
        /// Its name.
        endpoint: String,
        /// Since when it had failed.
        failing_since: Timestamp,
    },
    /// Nothing is delivered to an endpoint any more.
    EndpointDisabled {
        /// Its name.
        endpoint: String,
        /// Why.
        reason: String,
    },
    /// A delivery was given up.
    DeliveryExhausted {
        /// The endpoint.
        endpoint: String,
        /// The delivery.
        delivery: DeliveryId,
        /// The event.
        event: EventId,
        /// After how many attempts.
        attempts: u32,
        /// Why the last one failed.
        reason: String,
    },
    /// A run of a schedule failed.
    ScheduleFailed {
        /// The schedule.
        schedule: String,
        /// The time that it was due.
        due: Timestamp,
        /// How many events it had made.
        events: u64,
        /// Why.
        reason: String,
    },
    /// A source gets requests that are not genuine.
    SourceRefusing {
        /// Its name.
        source: String,
        /// How many since the last notice.
        count: u64,
        /// Why the last one was refused.
        reason: String,
    },
}

impl Notice {
    /// The type of its event.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::EndpointFailing { .. } => "endpoint.failing",
            Self::EndpointRecovered { .. } => "endpoint.recovered",
            Self::EndpointDisabled { .. } => "endpoint.disabled",
            Self::DeliveryExhausted { .. } => "delivery.exhausted",
            Self::ScheduleFailed { .. } => "schedule.failed",
            Self::SourceRefusing { .. } => "source.refusing",
        }
    }

    fn data(&self) -> Value {
        match self {
            Self::EndpointFailing { endpoint, since, reason } => {
                json!({ "endpoint": endpoint, "since": since, "reason": reason })
            }
            Self::EndpointRecovered { endpoint, failing_since } => {
                json!({ "endpoint": endpoint, "failing_since": failing_since })
            }
            Self::EndpointDisabled { endpoint, reason } => json!({ "endpoint": endpoint, "reason": reason }),
            Self::DeliveryExhausted { endpoint, delivery, event, attempts, reason } => json!({
                "endpoint": endpoint, "delivery": delivery, "event": event, "attempts": attempts, "reason": reason,
            }),
            Self::ScheduleFailed { schedule, due, events, reason } => {
                json!({ "schedule": schedule, "due": due, "events": events, "reason": reason })
            }
            Self::SourceRefusing { source, count, reason } => {
                json!({ "source": source, "count": count, "reason": reason })
            }
        }
    }

    /// The event that tells of it, in the form that Standard Webhooks recommends for a payload.
    #[must_use]
    pub fn event(&self, now: Timestamp, random: &Random) -> Event {
        let body = json!({ "type": self.event_type(), "timestamp": now, "data": self.data() });
        let json = (String::from("content-type"), Bytes::from_static(b"application/json"));
        Event {
            id: EventId::new(now, random),
            origin: Origin::Relay,
            event_type: self.event_type().to_owned(),
            at: now,
            headers: Headers(vec![json]),
            body: Bytes::from(body.to_string()),
        }
    }
}
