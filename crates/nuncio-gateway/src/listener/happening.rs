//! What a listener tells of.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use nuncio_relay::inbox::Received;
use nuncio_relay::{Event, Headers, Outcome};

use super::target::is_final;

/// What happened.
#[derive(Debug)]
pub enum Happening {
    /// A request was taken or refused.
    Arrived(Box<Arrived>),
    /// A request broke a bound, such as that on bodies, or none is taken in this way.
    Turned {
        /// The status that was answered.
        status: StatusCode,
        /// Why.
        detail: String,
    },
    /// An attempt to deliver has ended.
    Tried(Box<Tried>),
}

/// A request that was judged.
#[derive(Debug)]
pub struct Arrived {
    /// The method.
    pub method: Method,
    /// The URL that it came to, as the provider or the tunnel says.
    pub url: String,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Bytes,
    /// What came of it.
    pub received: Received,
    /// The status that was answered.
    pub status: StatusCode,
    /// From its head to its answer.
    pub took: Duration,
}

/// An attempt to deliver.
#[derive(Debug)]
pub struct Tried {
    /// What was delivered.
    pub event: Event,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

impl Tried {
    /// Whether it is tried again.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.outcome.result.is_err() && !self.outcome.status.is_some_and(is_final)
    }
}
