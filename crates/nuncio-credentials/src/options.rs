//! Where a store is.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;
use nuncio_client::{Clock, Error, Secret};

use crate::keyring::Keyring;
use crate::keys::Keys;

/// Where a store and its key are.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file of the store.
    pub database: PathBuf,
    /// Where its key is.
    pub keys: Keys,
    /// The time of day, for the times of connections and the ends of leases, which processes share.
    pub clock: Clock,
}

impl Options {
    /// The places of this user (XDG): `nuncio/credentials.db` in the state directory (`~/.local/state`) and `nuncio/credentials.key` in
    /// the data directory (`~/.local/share`), so that a copy of one folder is not both. `given` is the key of [`KEY_VARIABLE`](crate::KEY_VARIABLE),
    /// where it is set; `keyring` the one of the operating system, where there is one.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for a user without a home.
    pub fn of_user(given: Option<Secret>, keyring: Option<Keyring>) -> Result<Self, Error> {
        let user = etcetera::choose_base_strategy().map_err(|error| {
            Error::configuration("there is no home folder to keep credentials in")
                .because(error)
                .advise("set HOME")
        })?;
        // Windows has no folder for state.
        let state = user.state_dir().unwrap_or_else(|| user.cache_dir());
        Ok(Self {
            database: state.join("nuncio").join("credentials.db"),
            keys: Keys { given, keyring, file: user.data_dir().join("nuncio").join("credentials.key") },
            clock: Clock::system(),
        })
    }
}
