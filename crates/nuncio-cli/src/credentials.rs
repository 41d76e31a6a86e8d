//! Whose credentials a service is called with: those of a stored connection, those of the environment, and which goes first.

use std::fmt;

use nuncio_client::{Error, Secret};
use nuncio_credentials::{Account, CredentialStore, DEFAULT_NAME, KEY_VARIABLE, Options, StoredConnection};
use nuncio_service::{Env, Service};

use crate::session::Session;

/// Where the values of a service's variables come from.
pub(crate) struct Credentials {
    environment: Env,
    stored: Option<Stored>,
}

/// The connection that is used.
struct Stored {
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
        if name.is_none() && is_complete() {
            return Ok(Self { environment, stored: None });
        }
        let connection = match existing_store(session)? {
            Some(store) => store.get(&account)?,
            None => None,
        };
        if name.is_some() && connection.is_none() {
            return Err(missing(&account));
        }
        let stored = connection.map(|connection| Stored { connection, is_named: name.is_some() });
        Ok(Self { environment, stored })
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
        let Some(stored) = &self.stored else { return self.environment.clone() };
        let (variables, environment) = (stored.connection.variables.clone(), self.environment.clone());
        let is_named = stored.is_named;
        Env::new(move |name| {
            let stored = || variables.get(name).cloned();
            let set = || environment.get(name);
            let value: Option<Secret> = if is_named { stored().or_else(set) } else { set().or_else(stored) };
            value.map(|value| value.expose().to_owned())
        })
    }
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
    Options::of_user(session.env.get(KEY_VARIABLE))
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
