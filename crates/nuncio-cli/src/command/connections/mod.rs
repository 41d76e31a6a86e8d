//! `nuncio connections`: what is in the store.

mod export;
mod import;
mod list;
mod rekey;
mod show;
pub(crate) mod state;
mod test;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use nuncio_credentials::{Account, CredentialStore, StoredConnection};

use crate::args::AccountArgs;
use crate::exit::Stop;
use crate::session::Session;
use crate::{credentials, stderr};

/// List, check and move stored credentials
#[derive(Debug, ClapArgs)]
pub(crate) struct ConnectionsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the connections and whether they can be used
    List {
        /// Service file to add to the catalog
        #[arg(long, value_name = "SERVICE.yaml")]
        file: Option<PathBuf>,
    },
    /// Show what is stored of a connection, but not the secrets
    Show {
        #[command(flatten)]
        account: AccountArgs,
        /// Service file to add to the catalog
        #[arg(long, value_name = "SERVICE.yaml")]
        file: Option<PathBuf>,
    },
    Test(Box<test::TestCommand>),
    /// Forget a connection without telling the provider
    Remove(AccountArgs),
    /// Encrypt everything with a new key: the one in NUNCIO_NEW_KEY, else a random one in the keyring or the key file
    Rekey,
    /// Write all connections as one encrypted JSON document; the passphrase is asked for, or read from standard input
    Export,
    /// Store the connections of a document that `export` wrote; the passphrase is asked for, or read from standard input
    Import {
        /// The document
        file: PathBuf,
        /// Replace connections that are stored already
        #[arg(long)]
        replace: bool,
    },
}

impl ConnectionsCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List { file } => list::run(session, file.as_deref()),
            Action::Show { account, file } => show::run(session, &account.account()?, file.as_deref()),
            Action::Test(command) => command.run(session).await,
            Action::Remove(account) => remove(session, &account.account()?),
            Action::Rekey => rekey::run(session),
            Action::Export => export::run(session),
            Action::Import { file, replace } => import::run(session, &file, replace),
        }
    }
}

fn remove(session: &Session, account: &Account) -> Result<(), Stop> {
    let (store, _) = find(session, account)?;
    store.remove(account)?;
    stderr::line(&format!("removed {account}"));
    Ok(())
}

/// The connection `account`, which must be there, and the store it is in.
fn find(session: &Session, account: &Account) -> Result<(CredentialStore, StoredConnection), Stop> {
    let missing = || credentials::missing(account);
    let store = credentials::existing_store(session)?.ok_or_else(missing)?;
    let connection = store.get(account)?.ok_or_else(missing)?;
    Ok((store, connection))
}
