//! Deliveries to HTTP endpoints, signed as [Standard Webhooks](https://www.standardwebhooks.com) has it.

mod receiver;
mod setup;

use nuncio_client::{Clock, wire};

use crate::outcome::Outcome;
use crate::settings::Http;

use super::cache::Cache;
use super::{Parcel, failure};
use receiver::Receiver;

pub(super) use setup::check;

/// All HTTP endpoints: a client for each, with its connections and tokens.
pub(super) struct Receivers {
    kept: Cache<Receiver>,
    wire: wire::Settings,
    clock: Clock,
}

impl Receivers {
    pub(super) fn new(wire: wire::Settings, clock: Clock) -> Self {
        Self { kept: Cache::default(), wire, clock }
    }

    pub(super) async fn deliver(&self, parcel: &Parcel<'_>, http: &Http) -> Outcome {
        let make = || Receiver::new(http, &parcel.endpoint.env, self.wire.clone(), self.clock.clone());
        match self.kept.get(parcel, make) {
            Ok(receiver) => receiver.post(parcel, http).await,
            Err(error) => failure::outcome(&error, false, &self.clock),
        }
    }
}
