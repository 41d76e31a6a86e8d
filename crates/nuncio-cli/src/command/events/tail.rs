//! `nuncio events tail`.

use std::time::Duration;

use clap::Args as ClapArgs;
use nuncio_client::{Client, Error};
use serde_json::Value;
use tokio::time::sleep;

use super::{Which, given};
use crate::exit::Stop;
use crate::gateway::{GatewayArgs, ask, items};
use crate::output::Output;
use crate::session::Session;
use crate::{interrupt, table};

/// How long to wait when there was nothing new.
const PAUSE: Duration = Duration::from_millis(500);

/// Write events as they are stored, one a line, until Ctrl-C
#[derive(Debug, ClapArgs)]
pub(super) struct TailCommand {
    #[command(flatten)]
    which: Which,
    /// Begin with those after this position; 0 for the oldest that is stored. Default: with what comes from now on
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl TailCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Stop> {
        let interrupted = interrupt::listen(None);
        tokio::select! {
            followed = self.follow(session) => followed,
            () = interrupted.came() => Err(interrupted.stop()),
        }
    }

    async fn follow(self, session: &Session) -> Result<(), Stop> {
        let client = self.gateway.client(session)?;
        let mut cursor = match self.after {
            Some(after) => after.to_string(),
            None => newest(&client).await?,
        };
        let mut output = Output::new(None)?;
        loop {
            let call = self.which.put(client.get("/v1/events").param("order", "oldest"));
            let answer = ask(given(call, "cursor", Some(&cursor))).await?;
            for event in items(&answer) {
                output.line(&if session.global.json { event.to_string() } else { line(event) })?;
            }
            output.flush()?;
            if let Some(next) = answer["next"].as_str() {
                next.clone_into(&mut cursor);
            }
            if items(&answer).is_empty() {
                sleep(PAUSE).await;
            }
        }
    }
}

/// The place of the newest event.
async fn newest(client: &Client) -> Result<String, Error> {
    let answer = ask(client.get("/v1/events").param("limit", 1)).await?;
    Ok(items(&answer).first().map_or_else(|| "0".to_owned(), |event| event["position"].to_string()))
}

fn line(event: &Value) -> String {
    let told = ["position", "at", "id", "origin", "type"].map(|name| table::text(&event[name]));
    told.join("  ")
}
