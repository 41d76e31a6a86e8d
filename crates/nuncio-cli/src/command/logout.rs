//! `nuncio logout`: credentials leave the store.

use clap::Args as ClapArgs;
use nuncio_client::Error;
use nuncio_client::auth::oauth2::Tokens;
use nuncio_credentials::StoredConnection;

use crate::args::ServiceOptions;
use crate::credentials;
use crate::exit::Stop;
use crate::session::Session;
use crate::{stderr, target};

/// Give the tokens of an account back to the provider, where it takes them, and forget its credentials
#[derive(Debug, ClapArgs)]
pub(crate) struct LogoutCommand {
    /// The service
    service: String,
    #[command(flatten)]
    options: ServiceOptions,
}

impl LogoutCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let account = self.options.account_of(&self.service)?;
        let store = credentials::existing_store(session)?.ok_or_else(|| credentials::missing(&account))?;
        let connection = store.get(&account)?.ok_or_else(|| credentials::missing(&account))?;
        let told = match &connection.tokens {
            Some(tokens) => self.revoke(session, &connection, tokens).await.map_err(|error| {
                error.noting(format!("{account} is still stored")).advise(format!(
                    "try again, or forget it without telling the provider: `nuncio connections remove {} --as {}`",
                    account.service(),
                    account.name()
                ))
            })?,
            None => "",
        };
        store.remove(&account)?;
        stderr::line(&format!("removed {account}{told}"));
        Ok(())
    }

    /// Gives the tokens back. What came of it.
    async fn revoke(
        &self,
        session: &Session,
        connection: &StoredConnection,
        tokens: &Tokens,
    ) -> Result<&'static str, Error> {
        let service = session.catalog(self.options.file.as_deref())?.get(&self.service)?;
        let env = credentials::layered(&connection.variables, &session.env);
        let connected = target::connect_with(session, service, &self.options, env, None, session.observer())?;
        let Some(login) = connected.login()? else { return Ok("") };
        let exchange = connected.client().exchange().observed_by(session.observer());
        Ok(match login.client.revoke(tokens, &exchange).await? {
            true => "; the provider has been told",
            false => "; the provider takes no tokens back, they are good until they expire",
        })
    }
}
