//! `nuncio replays`: what a gateway delivers again in bulk, and how far it is.

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use nuncio_client::Client;
use serde_json::Value;
use tokio::time::sleep;

use crate::exit::Stop;
use crate::gateway::{GatewayArgs, Named, Settings};
use crate::output::Output;
use crate::progress::Progress;
use crate::session::Session;
use crate::{interrupt, stderr};

/// How often is asked how far it is.
const PAUSE: Duration = Duration::from_millis(300);

const EXAMPLES: &str = "\
Examples:
  nuncio events replay --endpoint billing --detach
  nuncio replays list
  nuncio replays follow replay-…";

const REPLAYS: Settings = Settings {
    word: "replay",
    path: "/v1/replays",
    columns: &[
        ("name", "/name"),
        ("endpoint", "/selection/endpoint"),
        ("state", "/selection/state"),
        ("due again", "/count"),
        ("begun at", "/begun_at"),
        ("ended at", "/ended_at"),
    ],
};

/// List, show, follow and end replays, which `nuncio events replay` begins
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplaysCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the replays, and how far they are
    List(GatewayArgs),
    /// Write a replay as JSON
    Show(Named),
    /// Wait until a replay has ended
    Follow(Named),
    /// End a replay; what it made due stays so
    Cancel(Named),
}

impl ReplaysCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List(gateway) => REPLAYS.list(session, &gateway).await,
            Action::Show(named) => REPLAYS.show(session, &named).await,
            Action::Follow(Named { name, gateway }) => {
                follow(session, &gateway.client(session)?, &name).await
            }
            Action::Cancel(Named { name, gateway }) => {
                let client = gateway.client(session)?;
                let call = client.post(format!("{}/cancel", REPLAYS.place(&name)?));
                let answer = REPLAYS.send(&client, &name, call).await?;
                ended(session, &answer.value()?)
            }
        }
    }
}

/// Waits until a replay has ended, and tells what it did. It goes on when the wait is ended.
pub(super) async fn follow(session: &Session, client: &Client, name: &str) -> Result<(), Stop> {
    let interrupted = interrupt::listen(None);
    let progress = Progress::of("deliveries due again", session);
    let waited = tokio::select! {
        waited = wait(client, name, &progress) => waited,
        () = interrupted.came() => {
            progress.finish();
            stderr::line(&format!(
                "nuncio: {name} goes on without this: `nuncio replays follow {name}` waits for it, `nuncio replays cancel {name}` ends it"
            ));
            return Err(interrupted.stop());
        }
    };
    progress.finish();
    ended(session, &waited?)
}

async fn wait(client: &Client, name: &str, progress: &Progress) -> Result<Value, Stop> {
    loop {
        let replay = REPLAYS.find(client, name).await?;
        progress.done(replay["count"].as_u64().unwrap_or_default(), None);
        if !replay["ended_at"].is_null() {
            return Ok(replay);
        }
        sleep(PAUSE).await;
    }
}

fn ended(session: &Session, replay: &Value) -> Result<(), Stop> {
    let mut output = Output::new(None)?;
    output.line(&match session.global.json {
        true => replay.to_string(),
        false => format!("deliveries that are due again: {}", replay["count"]),
    })?;
    output.flush()
}
