//! How an endpoint is delivered to, for whoever looks.

use jiff::Timestamp;

/// How an endpoint is delivered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Whether it is taken for dead.
    pub breaker: Breaker,
    /// How many attempts are under way.
    pub in_flight: u32,
    /// How many may be under way at once.
    pub window: u32,
    /// Nothing is sent before, since the endpoint said so.
    pub quiet_until: Option<Timestamp>,
}

/// Whether an endpoint is taken for dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// It is not.
    Closed {
        /// How many attempts failed in a row.
        failures: u32,
    },
    /// It is, and a probe is sent then.
    Open {
        /// When.
        until: Timestamp,
    },
    /// It is, and a probe is under way.
    Probing,
}
