//! `nuncio events show`.

use clap::Args as ClapArgs;
use nuncio_client::{Client, Error};
use serde_json::Value;

use crate::exit::Stop;
use crate::gateway::{GatewayArgs, advise, ask, list, segment};
use crate::output::Output;
use crate::session::Session;
use crate::table;

/// Show an event, to whom it was owed, and what was tried
#[derive(Debug, ClapArgs)]
pub(super) struct ShowCommand {
    /// Its id
    event: String,
    /// Write its body alone, byte for byte
    #[arg(long)]
    body: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl ShowCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Stop> {
        let client = self.gateway.client(session)?;
        let path = format!("/v1/events/{}", segment(&self.event)?);
        let mut output = Output::new(None)?;
        if self.body {
            let answer = client.get(format!("{path}/body")).send().await.map_err(advise)?;
            return output.raw(&answer.body);
        }
        let mut event = ask(client.get(path)).await?;
        event["deliveries"] = deliveries(&client, &self.event).await?.into();
        if session.global.json {
            output.line(&event.to_string())?;
        } else {
            write(&mut output, &event)?;
        }
        output.flush()
    }
}

/// The deliveries of an event, each with what was tried.
async fn deliveries(client: &Client, event: &str) -> Result<Vec<Value>, Error> {
    let mut deliveries = list::all(|| client.get("/v1/deliveries").param("event", event)).await?;
    for delivery in &mut deliveries {
        let tried = ask(client.get(format!("/v1/deliveries/{}/attempts", delivery["id"]))).await?;
        delivery["tried"] = tried["items"].clone();
    }
    Ok(deliveries)
}

fn write(output: &mut Output, event: &Value) -> Result<(), Stop> {
    for name in ["id", "at", "origin", "type"] {
        output.line(&format!("{name}: {}", table::text(&event[name])))?;
    }
    for header in event["headers"].as_array().into_iter().flatten() {
        output.line(&format!("  {}: {}", table::text(&header["name"]), table::text(&header["value"])))?;
    }
    let body = if event["body"].is_null() { &event["body_base64"] } else { &event["body"] };
    output.line(&format!("body: {}", table::text(body)))?;
    for delivery in event["deliveries"].as_array().into_iter().flatten() {
        output.line("")?;
        let (to, state) = (table::text(&delivery["endpoint"]), table::text(&delivery["state"]));
        output.line(&format!("delivery {} to {to}: {state}", delivery["id"]))?;
        let tried = delivery["tried"].as_array().map_or(&[][..], Vec::as_slice);
        if !tried.is_empty() {
            table::write(output, &["number", "at", "took_ms", "status", "step", "error"], tried)?;
        }
    }
    Ok(())
}
