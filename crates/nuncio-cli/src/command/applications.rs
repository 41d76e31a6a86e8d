//! `nuncio applications`: who tells a gateway of events.

use clap::{Args as ClapArgs, Subcommand};

use crate::exit::Stop;
use crate::gateway::{Draft, GatewayArgs, Named, Settings};
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  nuncio applications set acme --title 'Acme Inc.'
  nuncio applications list";

const APPLICATIONS: Settings = Settings {
    word: "application",
    path: "/v1/applications",
    columns: &[("name", "/name"), ("title", "/settings/title"), ("managed by", "/managed_by")],
};

/// Set up, list, show and remove the applications that tell a gateway of events
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ApplicationsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the applications
    List(GatewayArgs),
    /// Write what is set up for an application, as JSON
    Show(Named),
    /// Set up an application, or change it
    Set {
        #[command(flatten)]
        named: Named,
        /// What people read. Default: its name
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
    },
    /// Remove an application; its events stay
    Delete(Named),
}

impl ApplicationsCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List(gateway) => APPLICATIONS.list(session, &gateway).await,
            Action::Show(named) => APPLICATIONS.show(session, &named).await,
            Action::Set { named, title } => {
                APPLICATIONS.set(session, &named, Draft::default().with(&["title"], title)).await
            }
            Action::Delete(named) => APPLICATIONS.delete(session, &named).await,
        }
    }
}
