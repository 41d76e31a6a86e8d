//! Keeps the store from growing for ever.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nuncio_client::Clock;
use nuncio_service::model::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::store::{Store, StoreError, Trim};

/// How many events one step looks at: others write between the steps.
const STEP: u32 = 500;

/// How often it is looked whether something may go.
const EVERY: Duration = Duration::from_secs(60);

/// How long events are kept. One that is still owed to somebody is kept in any case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Events that are older may go. It is also how long a source can know an event again. Default: 30d.
    pub max_age: Span,
    /// When the store is larger than so many bytes, the oldest events go whatever their age. Default: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { max_age: Span(Duration::from_secs(30 * 86_400)), max_bytes: None }
    }
}

/// Removes what may go, in small steps.
pub struct Upkeep {
    store: Arc<dyn Store>,
    age: Clock,
    retention: Retention,
}

impl Upkeep {
    /// The upkeep of this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock, retention: Retention) -> Self {
        Self { store, age: clock::patient(clock), retention }
    }

    /// Looks every minute, until it is dropped.
    pub async fn run(self) {
        loop {
            match self.tidy().await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "old events are gone"),
                Err(error) => tracing::error!(%error, "old events are still there"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Removes all that may go now, and says how many events there were.
    ///
    /// # Errors
    /// [`StoreError`]; what was removed before stays so.
    pub async fn tidy(&self) -> Result<u64, StoreError> {
        let now = clock::now(&self.age);
        let age = SignedDuration::try_from(self.retention.max_age.0).unwrap_or(SignedDuration::MAX);
        let mut removed = self.trim(now.checked_sub(age).unwrap_or(Timestamp::MIN), None).await?;
        if let Some(max_bytes) = self.retention.max_bytes
            && self.store.stats().await?.bytes > max_bytes
        {
            // Of any age, also those that a clock stored that was ahead.
            removed += self.trim(Timestamp::MAX, Some(max_bytes)).await?;
        }
        Ok(removed)
    }

    /// Removes what was stored before a time, the oldest first, until the store is no larger than that.
    async fn trim(&self, before: Timestamp, until_bytes: Option<u64>) -> Result<u64, StoreError> {
        let mut removed = 0;
        let mut after = 0;
        loop {
            let trimmed = self.store.trim(Trim { before, after, limit: STEP }).await?;
            removed += trimmed.removed;
            let Some(next) = trimmed.next else { return Ok(removed) };
            after = next;
            if let Some(max_bytes) = until_bytes
                && self.store.stats().await?.bytes <= max_bytes
            {
                return Ok(removed);
            }
        }
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upkeep").field("retention", &self.retention).finish_non_exhaustive()
    }
}
