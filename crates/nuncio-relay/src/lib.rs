//! Webhooks in and out: stored before they are acknowledged, delivered until they arrive.

mod clock;
mod delivery;
pub mod dispatch;
mod endpoint;
mod event;
mod id;
mod notice;
mod outcome;
mod route;
mod schedule;
pub mod store;

pub use delivery::{Attempt, Delivery, State};
pub use dispatch::{Deliver, Dispatcher};
pub use endpoint::Pace;
pub use event::{Event, Headers, NotAnOrigin, Origin};
pub use id::{DeliveryId, EventId, NotAnEventId};
pub use notice::Notice;
pub use outcome::{Failure, Fault, Outcome};
pub use route::{Directory, Endpoint, Route, TypePattern};
pub use schedule::Schedule;
pub use store::{Store, StoreError};
