//! `nuncio endpoints`: to whom a gateway delivers.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use crate::exit::Stop;
use crate::gateway::{GatewayArgs, advise, all, segment};
use crate::output::Output;
use crate::session::Session;
use crate::{stderr, table};

const EXAMPLES: &str = "\
Examples:
  nuncio endpoints list
  nuncio endpoints disable billing --reason 'moves to another host'
  nuncio endpoints enable billing";

/// List, show, disable and enable the endpoints of a gateway
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EndpointsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the endpoints, and how they are
    List(GatewayArgs),
    /// Write what is set up for an endpoint, secrets blanked, and how it is, as JSON
    Show {
        /// Its name
        name: String,
        #[command(flatten)]
        gateway: GatewayArgs,
    },
    /// Deliver to an endpoint again, what it is owed too
    Enable {
        /// Its name
        name: String,
        #[command(flatten)]
        gateway: GatewayArgs,
    },
    /// Deliver nothing to an endpoint; what is owed to it waits
    Disable {
        /// Its name
        name: String,
        /// Why, in words. Default: by the API
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        gateway: GatewayArgs,
    },
}

impl EndpointsCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List(gateway) => list(session, &gateway).await,
            Action::Show { name, gateway } => {
                let call = gateway.client(session)?.get(format!("/v1/endpoints/{}", segment(&name)?));
                let mut output = Output::new(None)?;
                output.body(&call.send().await.map_err(advise)?)
            }
            Action::Enable { name, gateway } => {
                let path = format!("/v1/endpoints/{}/enable", segment(&name)?);
                gateway.client(session)?.post(path).send().await.map_err(advise)?;
                stderr::line(&format!("nuncio: {name} is delivered to"));
                Ok(())
            }
            Action::Disable { name, reason, gateway } => {
                let path = format!("/v1/endpoints/{}/disable", segment(&name)?);
                let call = gateway.client(session)?.post(path).json(&json!({ "reason": reason }));
                call.send().await.map_err(advise)?;
                stderr::line(&format!("nuncio: nothing is delivered to {name}"));
                Ok(())
            }
        }
    }
}

async fn list(session: &Session, gateway: &GatewayArgs) -> Result<(), Stop> {
    let endpoints = all(&gateway.client(session)?, "/v1/endpoints").await?;
    let mut output = Output::new(None)?;
    if session.global.json {
        output.line(&Value::from(endpoints).to_string())?;
    } else {
        let row = |endpoint: &Value| {
            let status = &endpoint["status"];
            json!({
                "name": endpoint["name"], "from": endpoint["settings"]["from"], "managed by": endpoint["managed_by"],
                "failing since": status["failing_since"], "disabled": status["disabled_because"],
            })
        };
        let rows: Vec<Value> = endpoints.iter().map(row).collect();
        table::write(&mut output, &["name", "from", "managed by", "failing since", "disabled"], &rows)?;
    }
    output.flush()
}
