//! `nuncio tokens`: who may ask a gateway for what.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use crate::exit::Stop;
use crate::gateway::{GatewayArgs, Named, Settings, ask};
use crate::output::Output;
use crate::session::Session;
use crate::stderr;

const EXAMPLES: &str = "\
Examples:
  nuncio tokens create billing --scope publish
  nuncio tokens list
  nuncio tokens delete billing";

const TOKENS: Settings = Settings {
    word: "token",
    path: "/v1/tokens",
    columns: &[("name", "/name"), ("scopes", "/scopes"), ("created at", "/created_at")],
};

/// Make, list and take back the tokens of a gateway. Needs one with the scope admin
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TokensCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the tokens, without what they are
    List(GatewayArgs),
    /// Make a token and write it. It is shown this once
    Create {
        #[command(flatten)]
        named: Named,
        /// What it is for: read, publish, write or admin
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', required = true)]
        scopes: Vec<String>,
    },
    /// Take a token back
    Delete(Named),
}

impl TokensCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List(gateway) => TOKENS.list(session, &gateway).await,
            Action::Create { named, scopes } => {
                let body = json!({ "name": named.name, "scopes": scopes });
                let made = ask(named.gateway.client(session)?.post(TOKENS.path).json(&body)).await?;
                let mut output = Output::new(None)?;
                if session.global.json {
                    output.line(&made.to_string())?;
                } else {
                    output.line(made["token"].as_str().unwrap_or_default())?;
                    stderr::line("nuncio: it is shown this once; the gateway keeps only its SHA-256");
                }
                output.flush()
            }
            Action::Delete(named) => TOKENS.delete(session, &named).await,
        }
    }
}
