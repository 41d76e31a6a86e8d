//! `nuncio auth`: how calls prove who makes them.

mod explain;

use clap::{Args as ClapArgs, Subcommand};

use crate::exit::Stop;
use crate::session::Session;

/// Explain which credentials are used, and what is signed
#[derive(Debug, ClapArgs)]
pub(crate) struct AuthCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Explain(Box<explain::ExplainCommand>),
}

impl AuthCommand {
    pub(crate) fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::Explain(command) => command.run(session),
        }
    }
}
