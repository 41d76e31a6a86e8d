//! `nuncio store`: the file in which `nuncio serve` keeps all, whether it serves meanwhile or not.

mod backup;
mod check;
mod stats;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use etcetera::BaseStrategy as _;
use nuncio_client::{Error, Kind};
use nuncio_relay::StoreError;
use nuncio_relay::store::SqliteStore;

use crate::exit::Stop;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  nuncio store check
  nuncio store backup /backups/relay-monday.db
  nuncio store stats --store relay.db --json

All of it works while `nuncio serve` runs.";

/// Check, copy and measure the file in which `serve` keeps all
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StoreCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say what is wrong with the file and with what stands in it: nothing, if all is well
    Check(StoreArgs),
    /// Write a copy to a new file, which `nuncio serve --store` can take
    Backup {
        /// The copy; no file is there yet
        #[arg(value_name = "COPY")]
        to: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Say how much there is
    Stats(StoreArgs),
}

/// Which store.
#[derive(Debug, ClapArgs)]
struct StoreArgs {
    /// File in which all is kept [default: relay.db in the user's folder for data]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

impl StoreCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::Check(store) => check::run(session, store).await,
            Action::Backup { to, store } => backup::run(session, store, &to).await,
            Action::Stats(store) => stats::run(session, store).await,
        }
    }
}

impl StoreArgs {
    /// The store, which must be there, and its path.
    fn open(self) -> Result<(SqliteStore, PathBuf), Error> {
        let path = self.store.map_or_else(default_path, Ok)?;
        if !path.is_file() {
            return Err(Error::configuration(format!("there is no store at {}", path.display())).advise(
                "name the file with --store; `nuncio serve` says where it keeps all when it starts",
            ));
        }
        Ok((SqliteStore::open(&path).map_err(unusable)?, path))
    }
}

/// `$XDG_DATA_HOME/nuncio/relay.db`.
pub(super) fn default_path() -> Result<PathBuf, Error> {
    let unknown =
        |error| Error::configuration("the folder for data is not known: say --store").because(error);
    let folder = etcetera::choose_base_strategy().map_err(unknown)?.data_dir().join("nuncio");
    Ok(folder.join("relay.db"))
}

fn unusable(error: StoreError) -> Error {
    match error {
        StoreError::Damaged { .. } => damaged().because(error),
        _ => Error::configuration("the store cannot be used").because(error),
    }
}

fn damaged() -> Error {
    Error::new(Kind::Validation, "the store is damaged")
        .advise("keep the file, and serve from a backup that `nuncio store check` finds well")
}
