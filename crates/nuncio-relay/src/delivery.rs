//! Deliveries: one event owed to one endpoint, and what came of it.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DeliveryId, EventId};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is due at some time, or under way.
    Waiting,
    /// An earlier delivery of the same key goes first.
    Parked,
    /// The endpoint took it.
    Delivered,
    /// It was given up: a dead letter.
    Dead,
}

/// One event owed to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// What is owed.
    pub event: EventId,
    /// To whom.
    pub endpoint: String,
    /// Where it stands.
    pub state: State,
    /// When it is tried next, or taken over from a worker that is not heard of any more. Only while it waits.
    pub due: Option<Timestamp>,
    /// How often it was begun.
    pub attempts: u32,
    /// Deliveries of one endpoint with the same key go one after the other.
    pub order_key: Option<String>,
}

/// One try to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which one, from 1; from 1 again after the delivery was sent again, with the whole schedule before it.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The status that was answered, if one was.
    pub status: Option<u16>,
    /// The call of a service at which it ended, by the name of its step; `None` where no service is called.
    pub step: Option<String>,
    /// Why it failed; `None` if the endpoint took the event.
    pub error: Option<String>,
    /// The first bytes of the answer.
    pub excerpt: Bytes,
}
