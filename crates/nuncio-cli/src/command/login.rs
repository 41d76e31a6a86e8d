//! `nuncio login`: credentials come into the store.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::args::AccountArgs;
use crate::exit::Stop;
use crate::session::Session;
use crate::{credentials, prompt, stderr};

const EXAMPLES: &str = "\
Examples:
  nuncio login stripe
  nuncio login stripe --as test < test-key.txt
  printf 'SHOP_USER=ada\\nSHOP_PASSWORD=…' | nuncio login shop";

/// Store the credentials of an account; they are asked for, or read from standard input, and never stand on the command line
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LoginCommand {
    #[command(flatten)]
    account: AccountArgs,
    /// Service file to add to the catalog
    #[arg(long, value_name = "SERVICE.yaml")]
    file: Option<PathBuf>,
}

impl LoginCommand {
    pub(crate) fn run(self, session: &Session) -> Result<(), Stop> {
        let service = session.catalog(self.file.as_deref())?.get(&self.account.service)?;
        let account = self.account.account()?;
        // Before anything is asked for: a store that cannot be opened is no place for the answer.
        let store = credentials::store(session)?;
        let variables = prompt::values(&service.variables())?;
        store.put(&account, &variables, None)?;
        stderr::line(&format!("stored {account} in {}", store.path().display()));
        Ok(())
    }
}
