//! `nuncio webhook`: whether a webhook is genuine, and signatures for those that are sent.

mod generate;
mod headers;
mod keys;
mod options;
mod providers;
mod refused;
mod send;
mod sign;
mod source;
mod verdict;
mod verify;
mod yaml;

use clap::{Args as ClapArgs, Subcommand};

use crate::exit::Stop;
use crate::session::Session;

/// Verify, explain, sign and send webhooks
#[derive(Debug, ClapArgs)]
pub(crate) struct WebhookCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Verify(Box<verify::VerifyCommand>),
    Sign(Box<sign::SignCommand>),
    Send(Box<send::SendCommand>),
    Secret(generate::SecretCommand),
    Providers(providers::ProvidersCommand),
}

impl WebhookCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::Verify(command) => command.run(session).await,
            Action::Sign(command) => command.run(session),
            Action::Send(command) => command.run(session).await,
            Action::Secret(command) => command.run(session),
            Action::Providers(command) => command.run(session),
        }
    }
}
