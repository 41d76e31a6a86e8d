//! `nuncio webhook`: whether a webhook is genuine, and signatures for those that are sent.

mod generate;
mod headers;
mod keys;
mod listen;
mod options;
mod post;
mod providers;
mod refused;
mod send;
mod set;
mod sign;
mod source;
mod trigger;
mod verdict;
mod verify;
mod yaml;

use clap::{Args as ClapArgs, Subcommand};

use crate::exit::Stop;
use crate::session::Session;

/// Verify, explain, sign, send and receive webhooks
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
    Trigger(Box<trigger::TriggerCommand>),
    Listen(Box<listen::ListenCommand>),
    Secret(generate::SecretCommand),
    Providers(providers::ProvidersCommand),
}

impl WebhookCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::Verify(command) => command.run(session).await,
            Action::Sign(command) => command.run(session),
            Action::Send(command) => command.run(session).await,
            Action::Trigger(command) => command.run(session).await,
            Action::Listen(command) => command.run(session).await,
            Action::Secret(command) => command.run(session),
            Action::Providers(command) => command.run(session),
        }
    }
}
