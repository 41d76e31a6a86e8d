//! Webhooks in and out: stored before they are acknowledged, delivered until they arrive.

mod clock;
pub mod deliver;
mod delivery;
mod directory;
pub mod dispatch;
mod event;
mod id;
pub mod inbox;
mod notice;
pub mod outbox;
mod outcome;
mod progress;
pub mod replay;
mod route;
pub mod schedule;
pub mod settings;
pub mod store;
mod upkeep;
mod waits;

pub use delivery::{Attempt, Delivery, State};
pub use directory::{Directory, Endpoint};
pub use dispatch::{Deliver, Dispatcher};
pub use event::{Event, Headers, NotAnOrigin, Origin};
pub use id::{DeliveryId, EventId, NotAnEventId};
pub use inbox::Inbox;
pub use notice::Notice;
pub use outbox::Outbox;
pub use outcome::{Failure, Fault, Outcome};
pub use progress::{Begun, Journal, Progress, TakenOver};
pub use route::{Route, TypePattern};
pub use schedule::Scheduler;
pub use store::{Store, StoreError};
pub use upkeep::{Retention, Upkeep};
pub use waits::Waits;
