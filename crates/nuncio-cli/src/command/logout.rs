//! `nuncio logout`: credentials leave the store.

use clap::Args as ClapArgs;

use crate::args::AccountArgs;
use crate::credentials;
use crate::exit::Stop;
use crate::session::Session;
use crate::stderr;

/// Forget the stored credentials of an account
#[derive(Debug, ClapArgs)]
pub(crate) struct LogoutCommand {
    #[command(flatten)]
    account: AccountArgs,
}

impl LogoutCommand {
    pub(crate) fn run(self, session: &Session) -> Result<(), Stop> {
        let account = self.account.account()?;
        let store = credentials::existing_store(session)?.ok_or_else(|| credentials::missing(&account))?;
        if !store.remove(&account)? {
            return Err(credentials::missing(&account).into());
        }
        stderr::line(&format!("removed {account}"));
        Ok(())
    }
}
