//! A folder for the stores of one test.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nuncio_client::{Clock, Error, Secret};
use nuncio_credentials::{Account, CredentialStore, Keys, Options};
use tempfile::TempDir;

/// A folder with at most one store in it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("state/credentials.db")
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.path("data/credentials.key")
    }

    pub(crate) fn options(&self, given: Option<&str>) -> Options {
        let keys = Keys { given: given.map(Secret::from), keyring: None, file: self.key_file() };
        Options { database: self.database(), keys, clock: Clock::system() }
    }

    /// The store, opened anew: what another process would have.
    pub(crate) fn open(&self) -> CredentialStore {
        self.try_open(None).unwrap()
    }

    pub(crate) fn try_open(&self, given: Option<&str>) -> Result<CredentialStore, Error> {
        CredentialStore::open(self.options(given))
    }
}

pub(crate) fn account(name: &str) -> Account {
    Account::new("shop", name).unwrap()
}

pub(crate) fn variables(value: &str) -> BTreeMap<String, Secret> {
    BTreeMap::from([("SHOP_TOKEN".to_owned(), Secret::from(value))])
}

/// What `store` has as the token of the shop under `name`.
pub(crate) fn value(store: &CredentialStore, name: &str) -> Option<String> {
    let found = store.get(&account(name)).unwrap()?;
    Some(found.variables["SHOP_TOKEN"].expose().to_owned())
}
