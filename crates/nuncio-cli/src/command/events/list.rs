//! `nuncio events list`.

use clap::Args as ClapArgs;
use nuncio_client::{Call, Client};

use super::{Which, given};
use crate::exit::Stop;
use crate::gateway::GatewayArgs;
use crate::gateway::list::{self, Column};
use crate::session::Session;

const COLUMNS: [Column; 8] = [
    ("position", "/position"),
    ("id", "/id"),
    ("at", "/at"),
    ("origin", "/origin"),
    ("type", "/type"),
    ("owed", "/owed"),
    ("delivered", "/delivered"),
    ("dead", "/dead"),
];

/// List events, the newest first
#[derive(Debug, ClapArgs)]
pub(super) struct ListCommand {
    #[command(flatten)]
    which: Which,
    /// Those stored at this time or later, as in 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those stored before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Those before this position: that of the last one listed gives the next ones
    #[arg(long, value_name = "POSITION")]
    before: Option<u64>,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl ListCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Stop> {
        let client = self.gateway.client(session)?;
        let before = self.before.map(|position| position.to_string());
        let found = list::part(|| self.call(&client), before, self.limit as usize).await?;
        list::write(session, &found.items, &COLUMNS)?;
        if let Some(last) = found.items.last() {
            list::tell_of_more(
                &found,
                &format!("--before {} goes on, --limit gives more at once", last["position"]),
            );
        }
        Ok(())
    }

    fn call(&self, client: &Client) -> Call {
        let call = given(self.which.put(client.get("/v1/events")), "since", self.since.as_deref());
        given(call, "until", self.until.as_deref())
    }
}
