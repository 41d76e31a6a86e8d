//! `nuncio sources`: whose webhooks a gateway takes.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use crate::exit::Stop;
use crate::gateway::{GatewayArgs, advise, all, segment};
use crate::output::Output;
use crate::session::Session;
use crate::table;

const EXAMPLES: &str = "\
Examples:
  nuncio sources list
  nuncio sources show shop";

/// List and show the sources of a gateway
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SourcesCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the sources
    List(GatewayArgs),
    /// Write what is set up for a source, secrets blanked, as JSON
    Show {
        /// Its name
        name: String,
        #[command(flatten)]
        gateway: GatewayArgs,
    },
}

impl SourcesCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List(gateway) => list(session, &gateway).await,
            Action::Show { name, gateway } => {
                let call = gateway.client(session)?.get(format!("/v1/sources/{}", segment(&name)?));
                let mut output = Output::new(None)?;
                output.body(&call.send().await.map_err(advise)?)
            }
        }
    }
}

async fn list(session: &Session, gateway: &GatewayArgs) -> Result<(), Stop> {
    let sources = all(&gateway.client(session)?, "/v1/sources").await?;
    let mut output = Output::new(None)?;
    if session.global.json {
        output.line(&Value::from(sources).to_string())?;
    } else {
        let row = |source: &Value| {
            json!({
                "name": source["name"], "scheme": source["settings"]["scheme"], "managed by": source["managed_by"],
            })
        };
        let rows: Vec<Value> = sources.iter().map(row).collect();
        table::write(&mut output, &["name", "scheme", "managed by"], &rows)?;
    }
    output.flush()
}
