//! Deliveries into calls of operations of services: one, or a few, one after the other.
//!
//! What is known of each call is written down with the delivery, so that the next attempt goes on where this one stopped. A call that a second copy
//! may do twice is written down before it is sent; if nobody is there any more to say what came of it, or nobody can know, it is made again only
//! where that does no harm.

mod course;
mod step;

use std::sync::Arc;

use nuncio_client::{Clock, Error, Kind};
use nuncio_service::Connection;
use tokio::sync::OnceCell;

use crate::outcome::{Fault, Outcome};
use crate::progress::{Journal, Progress};
use crate::settings::Operation;

use super::cache::Cache;
use super::{Connect, Parcel, failure};
use course::Course;

pub(crate) use step::Step;

/// All services that events go to.
pub(super) struct Connections {
    kept: Cache<Arc<[OnceCell<Connection>]>>,
    connect: Connect,
    clock: Clock,
}

impl Connections {
    pub(super) fn new(connect: Connect, clock: Clock) -> Self {
        Self { kept: Cache::default(), connect, clock }
    }

    /// Makes the calls that were not made yet.
    pub(super) async fn deliver(
        &self,
        parcel: &Parcel<'_>,
        operations: &[Operation],
        journal: &Journal,
        progress: Progress,
    ) -> Outcome {
        Course::new(self, parcel, operations, journal, progress).run().await
    }

    /// The service of the call at this place.
    async fn connection(
        &self,
        parcel: &Parcel<'_>,
        operations: &[Operation],
        place: usize,
    ) -> Result<Connection, Error> {
        let none = || Ok(operations.iter().map(|_| OnceCell::new()).collect());
        let kept = self.kept.get(parcel, none)?;
        let operation = &operations[place];
        let connect = || (self.connect)(&operation.service, operation.account.as_deref());
        kept[place].get_or_try_init(connect).await.cloned()
    }

    fn failed(&self, error: &Error) -> Outcome {
        let mut outcome = failure::outcome(error, true, &self.clock);
        if let Err(failure) = &mut outcome.result {
            failure.fault = match (failure.fault, error.kind()) {
                // Something that the operation is about is gone, not the service.
                (Fault::Gone, _) => Fault::Refused,
                (_, Kind::Auth) => Fault::Misconfigured,
                (fault, _) => fault,
            };
        }
        outcome
    }
}
