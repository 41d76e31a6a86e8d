//! `nuncio events`: what a gateway stored, and what became of it.

mod list;
mod replay;
mod resend;
mod show;
mod tail;

use clap::{Args as ClapArgs, Subcommand};
use nuncio_client::Call;

use crate::exit::Stop;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  nuncio events list --type charge.failed --since 2026-01-31T00:00:00Z
  nuncio events show evt_01JZZZZZZZZZZZZZZZZZZZZZZZ
  nuncio events resend evt_01JZZZZZZZZZZZZZZZZZZZZZZZ --endpoint billing
  nuncio events replay --endpoint billing --since 2026-01-31T00:00:00Z
  nuncio events tail --origin source/shop --json";

/// List, show, follow and deliver again the events of a gateway
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EventsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::ListCommand),
    Show(show::ShowCommand),
    Resend(resend::ResendCommand),
    Replay(replay::ReplayCommand),
    Tail(tail::TailCommand),
}

impl EventsCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List(command) => command.run(session).await,
            Action::Show(command) => command.run(session).await,
            Action::Resend(command) => command.run(session).await,
            Action::Replay(command) => command.run(session).await,
            Action::Tail(command) => command.run(session).await,
        }
    }
}

/// Which events.
#[derive(Debug, ClapArgs)]
struct Which {
    /// Those of this origin alone: source/NAME, application/NAME or relay
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Those of this type alone
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
}

impl Which {
    fn put(&self, call: Call) -> Call {
        let asked = [("origin", &self.origin), ("type", &self.event_type)];
        asked.into_iter().fold(call, |call, (name, value)| given(call, name, value.as_deref()))
    }
}

/// The call with the parameter, if there is a value for it.
fn given(call: Call, name: &str, value: Option<&str>) -> Call {
    match value {
        Some(value) => call.param(name, value),
        None => call,
    }
}
