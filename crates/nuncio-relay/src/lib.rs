//! Webhooks in and out: stored before they are acknowledged, delivered until they arrive.

mod delivery;
mod event;
mod id;
pub mod store;

pub use delivery::{Attempt, Delivery, State};
pub use event::{Event, Headers, NotAnOrigin, Origin};
pub use id::{DeliveryId, EventId, NotAnEventId};
pub use store::{Store, StoreError};
