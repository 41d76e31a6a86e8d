//! The subcommands, one file each.

mod applications;
mod auth;
mod call;
mod completions;
mod connections;
mod demo;
mod each;
mod endpoints;
mod events;
mod graphql;
mod login;
mod logout;
mod man;
mod pull;
mod replays;
mod sandbox;
mod schedules;
mod serve;
mod services;
mod sources;
mod store;
mod tokens;
mod webhook;

use clap::Subcommand;

use crate::exit::Stop;
use crate::session::Session;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Call(Box<call::CallCommand>),
    Pull(Box<pull::PullCommand>),
    Each(Box<each::EachCommand>),
    #[command(name = "graphql")]
    GraphQl(Box<graphql::GraphQlCommand>),
    Services(services::ServicesCommand),
    Login(Box<login::LoginCommand>),
    Logout(Box<logout::LogoutCommand>),
    Connections(connections::ConnectionsCommand),
    Auth(auth::AuthCommand),
    Webhook(webhook::WebhookCommand),
    /// Everything once, against a sandbox on this machine: no account and no network needed
    Demo,
    Serve(Box<serve::ServeCommand>),
    Store(store::StoreCommand),
    Events(events::EventsCommand),
    Replays(replays::ReplaysCommand),
    Endpoints(endpoints::EndpointsCommand),
    Schedules(schedules::SchedulesCommand),
    Sources(sources::SourcesCommand),
    Applications(applications::ApplicationsCommand),
    Tokens(tokens::TokensCommand),
    Sandbox(sandbox::SandboxCommand),
    Completions(completions::CompletionsCommand),
    Man(man::ManCommand),
}

impl Command {
    /// What is logged unless `NUNCIO_LOG` says otherwise: nothing, but for a command that runs on when nobody looks.
    pub(crate) fn default_log(&self) -> Option<&'static str> {
        matches!(self, Self::Serve(_)).then_some("warn,nuncio_gateway=info,nuncio_relay=info")
    }

    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self {
            Self::Call(command) => command.run(session).await,
            Self::Pull(command) => command.run(session).await,
            Self::Each(command) => command.run(session).await,
            Self::GraphQl(command) => command.run(session).await,
            Self::Services(command) => command.run(session),
            Self::Login(command) => command.run(session).await,
            Self::Logout(command) => command.run(session).await,
            Self::Connections(command) => command.run(session).await,
            Self::Auth(command) => command.run(session),
            Self::Webhook(command) => command.run(session).await,
            Self::Demo => Ok(demo::run().await?),
            Self::Serve(command) => command.run(session).await,
            Self::Store(command) => command.run(session).await,
            Self::Events(command) => command.run(session).await,
            Self::Replays(command) => command.run(session).await,
            Self::Endpoints(command) => command.run(session).await,
            Self::Schedules(command) => command.run(session).await,
            Self::Sources(command) => command.run(session).await,
            Self::Applications(command) => command.run(session).await,
            Self::Tokens(command) => command.run(session).await,
            Self::Sandbox(command) => command.run(session).await,
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(),
        }
    }
}
