//! An event that is kept, delivered once more.

use std::str::FromStr;

use nuncio_client::Clock;
use nuncio_relay::store::{DeliveryQuery, EventQuery, EventSummary, Store, StoreError};
use nuncio_relay::{EventId, Origin};

use super::{SOURCE, owed};

/// Among how many of the newest events the one is looked for that ends in what was written.
const RECENT: u32 = 10_000;

/// Which event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// The one that came last.
    Last,
    /// The one with this id, or the newest whose id ends like this.
    Id(String),
}

impl FromStr for Replay {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "last" { Self::Last } else { Self::Id(text.to_ascii_uppercase()) })
    }
}

impl Replay {
    /// Makes the event due to the target again, and says which it is: `None` if there is no such one. A listener that serves this store delivers it within a second.
    ///
    /// # Errors
    /// [`StoreError`], and nothing has happened.
    pub async fn make_due(&self, store: &dyn Store, clock: &Clock) -> Result<Option<EventId>, StoreError> {
        let Some(id) = self.find(store).await? else { return Ok(None) };
        let query = DeliveryQuery { event: Some(id), limit: 1, ..DeliveryQuery::default() };
        let deliveries = store.deliveries(query).await?.items.iter().map(|delivery| delivery.id).collect();
        let count = store.resend(deliveries, owed::now(clock), None).await?;
        Ok((count > 0).then_some(id))
    }

    async fn find(&self, store: &dyn Store) -> Result<Option<EventId>, StoreError> {
        let limit = match self {
            Self::Last => 1,
            Self::Id(_) => RECENT,
        };
        let origin = Some(Origin::Source(SOURCE.to_owned()));
        let events = store.events(EventQuery { origin, limit, ..EventQuery::default() }).await?.items;
        let is_meant = |event: &&EventSummary| match self {
            Self::Last => true,
            Self::Id(end) => !end.is_empty() && event.id.to_string().to_ascii_uppercase().ends_with(end),
        };
        Ok(events.iter().find(is_meant).map(|event| event.id))
    }
}
