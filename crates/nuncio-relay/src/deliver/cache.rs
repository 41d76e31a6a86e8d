//! What is made once for an endpoint.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use nuncio_client::Error;

use crate::directory::Endpoint;
use crate::settings::Target;

use super::Parcel;

/// What is made once for an endpoint and kept until its target changes: connections and tokens.
pub(super) struct Cache<T>(Mutex<BTreeMap<String, Kept<T>>>);

struct Kept<T> {
    /// The endpoint as it was when this was used last. All of them are replaced when any setting changes.
    endpoint: Weak<Endpoint>,
    target: Target,
    made: T,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Cache<T> {
    /// What was made for this endpoint, or what `make` makes now. Then what was made for endpoints that are gone goes too, and with it what was not
    /// used since a setting changed: that is made again when it is needed.
    pub(super) fn get(
        &self,
        parcel: &Parcel<'_>,
        make: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint = Arc::downgrade(parcel.endpoint);
        let target = &parcel.endpoint.settings.to;
        if let Some(kept) = all.get_mut(parcel.name).filter(|kept| kept.target == *target) {
            kept.endpoint = endpoint;
            return Ok(kept.made.clone());
        }
        all.retain(|_, kept| kept.endpoint.strong_count() > 0);
        let made = make()?;
        let kept = Kept { endpoint, target: target.clone(), made: made.clone() };
        all.insert(parcel.name.to_owned(), kept);
        Ok(made)
    }
}
