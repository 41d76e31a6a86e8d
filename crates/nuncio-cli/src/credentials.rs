//! Whose credentials a service is called with: those of a stored connection, those of the environment, and which goes first.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use nuncio_client::auth::oauth2::TokenStore;
use nuncio_client::{Error, Secret};
use nuncio_credentials::{
    Account, CredentialStore, DEFAULT_NAME, KEY_VARIABLE, Keyring, Options, StoredConnection,
};
use nuncio_service::{Env, Service};

use crate::session::Session;

/// Where the values of a service's variables come from.
pub(crate) struct Credentials {
    environment: Env,
    stored: Option<Stored>,
}

/// The connection that is used.
struct Stored {
    store: CredentialStore,
    connection: StoredConnection,
    /// It was asked for by name, so that it stands before the environment.
    is_named: bool,
}

/// Where one value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Environment,
    Connection(Account),
    Nowhere,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("from the environment"),
            Self::Connection(account) => write!(f, "from the connection {account}"),
            Self::Nowhere => f.write_str("not set"),
        }
    }
}

impl Credentials {
    /// Of the account `name` of `service`. Without a name, of the environment, and for what is not set there of the account `default`,
    /// where it is stored.
    pub(crate) fn find(session: &Session, service: &Service, name: Option<&str>) -> Result<Self, Error> {
        let environment = session.env.clone();
        let account = Account::new(&service.service, name.unwrap_or(DEFAULT_NAME))?;
        let is_complete = || service.variables().iter().all(|name| environment.get(name).is_some());
        // What came of a login is in the store alone.
        if name.is_none() && !service.auth.is_login() && is_complete() {
            return Ok(Self { environment, stored: None });
        }
        let found = match existing_store(session)? {
            Some(store) => store.get(&account)?.map(|connection| (store, connection)),
            None => None,
        };
        if name.is_some() && found.is_none() {
            return Err(missing(&account));
        }
        let stored = found.map(|(store, connection)| Stored { store, connection, is_named: name.is_some() });
        Ok(Self { environment, stored })
    }

    /// Where the tokens of the connection are kept. They belong to the values that it was stored with: one that the environment sets
    /// otherwise makes it another account.
    pub(crate) fn tokens(&self) -> Option<Arc<dyn TokenStore>> {
        let Stored { store, connection, is_named } = self.stored.as_ref()?;
        let differs = |(name, stored): (&String, &Secret)| {
            self.environment.get(name).is_some_and(|set| set.expose() != stored.expose())
        };
        if !is_named && connection.variables.iter().any(differs) {
            return None;
        }
        Some(Arc::new(store.tokens(&connection.account)))
    }

    /// The connection that is used.
    pub(crate) fn connection(&self) -> Option<&StoredConnection> {
        self.stored.as_ref().map(|stored| &stored.connection)
    }

    /// Where [`env`](Self::env) has the variable `name` from.
    pub(crate) fn origin(&self, name: &str) -> Origin {
        let is_set = self.environment.get(name).is_some();
        match self.stored.as_ref().filter(|stored| stored.connection.variables.contains_key(name)) {
            Some(stored) if stored.is_named || !is_set => {
                Origin::Connection(stored.connection.account.clone())
            }
            _ if is_set => Origin::Environment,
            _ => Origin::Nowhere,
        }
    }

    /// What `{{ env.X }}` is.
    pub(crate) fn env(&self) -> Env {
        match &self.stored {
            None => self.environment.clone(),
            Some(Stored { connection, is_named: true, .. }) => {
                layered(&connection.variables, &self.environment)
            }
            Some(Stored { connection, .. }) => {
                let is_not_set = |(name, _): &(&String, &Secret)| self.environment.get(name).is_none();
                let fill = connection.variables.iter().filter(is_not_set);
                layered(&fill.map(|(name, value)| (name.clone(), value.clone())).collect(), &self.environment)
            }
        }
    }
}

/// What `{{ env.X }}` is when `variables` stand before the environment.
pub(crate) fn layered(variables: &BTreeMap<String, Secret>, environment: &Env) -> Env {
    let (variables, environment) = (variables.clone(), environment.clone());
    Env::new(move |name| {
        let value = variables.get(name).cloned().or_else(|| environment.get(name));
        value.map(|value| value.expose().to_owned())
    })
}

/// The user's store, where there is one.
pub(crate) fn existing_store(session: &Session) -> Result<Option<CredentialStore>, Error> {
    CredentialStore::open_existing(options(session)?)
}

/// The user's store, made where there is none.
pub(crate) fn store(session: &Session) -> Result<CredentialStore, Error> {
    CredentialStore::open(options(session)?)
}

fn options(session: &Session) -> Result<Options, Error> {
    Options::of_user(session.env.get(KEY_VARIABLE), keyring())
}

/// The keyring of the operating system. Where there is none, as on a server, the key is in a file.
#[cfg(feature = "keyring")]
fn keyring() -> Option<Keyring> {
    Keyring::of_user("credential store key").ok()
}

#[cfg(not(feature = "keyring"))]
fn keyring() -> Option<Keyring> {
    None
}

/// The error about an account that is not stored.
pub(crate) fn missing(account: &Account) -> Error {
    let name = match account.name() {
        DEFAULT_NAME => String::new(),
        name => format!(" --as {name}"),
    };
    Error::configuration(format!("there is no connection {account}")).advise(format!(
        "`nuncio login {}{name}` makes it, `nuncio connections list` shows those there are",
        account.service()
    ))
}
