//! `nuncio events list`.

use clap::Args as ClapArgs;

use super::{Which, given};
use crate::exit::Stop;
use crate::gateway::{GatewayArgs, ask, items};
use crate::output::Output;
use crate::session::Session;
use crate::table;

const COLUMNS: [&str; 8] = ["position", "id", "at", "origin", "type", "owed", "delivered", "dead"];

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
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Those before this position: that of the last one listed gives the next ones
    #[arg(long, value_name = "POSITION")]
    before: Option<u64>,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl ListCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Stop> {
        let call = self.which.put(self.gateway.client(session)?.get("/v1/events")).param("limit", self.limit);
        let call = given(call, "since", self.since.as_deref());
        let call = given(call, "until", self.until.as_deref());
        let answer = ask(given(call, "cursor", self.before.map(|at| at.to_string()).as_deref())).await?;
        let mut output = Output::new(None)?;
        if session.global.json {
            output.line(&answer["items"].to_string())?;
        } else {
            table::write(&mut output, &COLUMNS, items(&answer))?;
        }
        output.flush()
    }
}
