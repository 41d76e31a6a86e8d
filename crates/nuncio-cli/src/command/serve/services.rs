//! Services that events go to, connected once for each account.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nuncio_relay::deliver::Connect;
use nuncio_service::Connection;

use crate::args::ServiceOptions;
use crate::credentials::Credentials;
use crate::session::Session;
use crate::target;

type Accounts = Mutex<BTreeMap<(String, Option<String>), Connection>>;

/// Connects to services as `nuncio call` does. Endpoints of one account share a connection, and with it limits and tokens.
pub(super) fn connect(session: &Session) -> Connect {
    let (session, accounts) = (session.clone(), Arc::new(Accounts::default()));
    Arc::new(move |service, account| {
        let (session, accounts) = (session.clone(), Arc::clone(&accounts));
        let (service, account) = (service.to_owned(), account.map(str::to_owned));
        Box::pin(async move {
            let mut accounts = accounts.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (service, account);
            if let Some(connection) = accounts.get(&key) {
                return Ok(connection.clone());
            }
            let service = session.catalog(None)?.get(&key.0)?;
            let credentials = Credentials::find(&session, &service, key.1.as_deref())?;
            let (env, tokens) = (credentials.env(), credentials.tokens());
            let options = ServiceOptions::default();
            let connection =
                target::connect_with(&session, service, &options, env, tokens, session.observer())?;
            accounts.insert(key, connection.clone());
            Ok(connection)
        })
    })
}
