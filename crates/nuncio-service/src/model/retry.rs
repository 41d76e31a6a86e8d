//! When a failed attempt is made again: the keys `retry` and `idempotency`.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Span;
use crate::template::Condition;

/// When and how often a failed attempt is made again. What is left out keeps its default.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Attempts in all, the first included; 1 switches retries off. Default: 5.
    pub attempts: Option<NonZeroU32>,
    /// How long to wait between attempts when the server does not say.
    pub backoff: Option<Backoff>,
    /// Statuses that are worth another attempt. Default: 408, 425, 429, 500, 502, 503, 504.
    pub statuses: Option<Vec<u16>>,
    /// The longest wait a server may ask for; a longer one fails at once and says when to come back. Default: 5m.
    pub max_wait: Option<Span>,
    /// True when a 429 means that a quota is used up, which no short wait mends: the call then fails at once. Over `status`,
    /// `headers` and `body`.
    pub quota: Option<Condition>,
    /// A header in which the service says `true` or `false` to another attempt, such as `stripe-should-retry`.
    pub hint: Option<String>,
}

/// Growing waits: the n-th is `base · 2ⁿ`, never over `max`, with a share of chance.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backoff {
    /// The first wait. Default: 1s.
    pub base: Option<Span>,
    /// The longest wait. Default: 30s.
    pub max: Option<Span>,
    /// How chance enters. Default: `added`.
    #[serde(default)]
    pub jitter: Jitter,
}

/// How chance spreads the waits of many callers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// The wait and up to one `base` more.
    #[default]
    Added,
    /// Anything up to the wait.
    Full,
    /// Half the wait, and anything up to the other half.
    Equal,
    /// Anything between `base` and three times the last wait.
    Decorrelated,
    /// The wait itself.
    None,
}

/// How the service knows that two requests are the same call.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// Header of the key, such as `Idempotency-Key`. Every POST and PATCH carries one key on all its attempts.
    pub header: String,
}
