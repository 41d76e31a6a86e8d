//! `nuncio sources`: whose webhooks a gateway takes.

use clap::{Args as ClapArgs, Subcommand};
use nuncio_client::Error;
use serde_json::{Map, Value};

use crate::args::pair;
use crate::exit::Stop;
use crate::gateway::list::{self, Column};
use crate::gateway::{Draft, GatewayArgs, Named, Settings, ask, items};
use crate::secret_ref::SecretRef;
use crate::session::Session;
use crate::stderr;

const EXAMPLES: &str = "\
Examples:
  nuncio sources list
  nuncio sources set shop --scheme stripe --secret-env STRIPE_WEBHOOK_SECRET
  nuncio sources set shop --secret-env current=NEW_SECRET --secret-env old=STRIPE_WEBHOOK_SECRET
  nuncio sources refused shop";

const SOURCES: Settings = Settings {
    word: "source",
    path: "/v1/sources",
    columns: &[("name", "/name"), ("scheme", "/settings/scheme"), ("managed by", "/managed_by")],
};

const REFUSED: [Column; 3] = [("at", "/at"), ("reason", "/reason"), ("body", "/body")];

/// Set up, list, show and remove the sources of a gateway, and see what they refused
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
    Show(Named),
    Set(Box<SetCommand>),
    /// List requests that a source refused, and why, the newest first
    Refused {
        #[command(flatten)]
        named: Named,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Remove a source; what it took stays
    Delete(Named),
}

impl SourcesCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List(gateway) => SOURCES.list(session, &gateway).await,
            Action::Show(named) => SOURCES.show(session, &named).await,
            Action::Set(command) => command.run(session).await,
            Action::Refused { named, limit } => refused(session, &named, limit).await,
            Action::Delete(named) => SOURCES.delete(session, &named).await,
        }
    }
}

async fn refused(session: &Session, named: &Named, limit: u32) -> Result<(), Stop> {
    let client = named.gateway.client(session)?;
    let place = SOURCES.place(&named.name)?;
    // A source that is not there is told with its nearest.
    SOURCES.find(&client, &named.name).await?;
    let found = ask(client.get(format!("{place}/refused")).param("limit", limit)).await?;
    list::write(session, items(&found), &REFUSED)?;
    if items(&found).len() == limit as usize {
        stderr::line(&format!(
            "nuncio: these are the newest {limit}; --limit gives up to 500 of those that are kept"
        ));
    }
    Ok(())
}

/// Set up a source, or change what is given here of one that is set up
#[derive(Debug, ClapArgs)]
struct SetCommand {
    #[command(flatten)]
    named: Named,
    /// All its settings, as a config file has them below its name, in YAML or JSON; - for standard input. What is not in it goes back to its
    /// default. {{ env.NAME }} stands for a variable of the environment
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// How its webhooks are signed: a provider (`nuncio webhook providers`)
    #[arg(long, value_name = "PROVIDER")]
    scheme: Option<String>,
    /// Environment variable with the secret or public key, as the provider shows it; while it is rotated several, each with a label. All that were
    /// set up before are replaced. Without a label it is `current`
    #[arg(long, value_name = "[LABEL=]NAME")]
    secret_env: Vec<String>,
    /// File with the secret or public key; a line end behind it does not count
    #[arg(long, value_name = "[LABEL=]FILE")]
    secret_file: Vec<String>,
    /// What else the scheme asks for, such as app_key=…
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    setting: Vec<(String, String)>,
    /// The URL as the provider knows it, for schemes that sign it. Default: the one that requests come to
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// How far the time of signing may be from now, such as 5m. Default: as the scheme says
    #[arg(long, value_name = "TIME")]
    tolerance: Option<String>,
    /// Networks that it may come from, as CIDRs. Default: any
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    allow_from: Vec<String>,
}

impl SetCommand {
    async fn run(self, session: &Session) -> Result<(), Stop> {
        let secrets = secrets(session, &self.secret_env, &self.secret_file)?;
        let settings: Map<String, Value> =
            self.setting.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        let draft = Draft::of(self.file.as_deref(), &session.env)?
            .with(&["scheme"], self.scheme)
            .with(&["secrets"], (!secrets.is_empty()).then_some(secrets))
            .with(&["settings"], (!settings.is_empty()).then_some(settings))
            .with(&["url"], self.url)
            .with(&["tolerance"], self.tolerance)
            .with_list(&["allow_from"], self.allow_from);
        SOURCES.set(session, &self.named, draft).await
    }
}

/// The secrets by their labels.
fn secrets(session: &Session, names: &[String], files: &[String]) -> Result<Map<String, Value>, Error> {
    let names = names.iter().map(|text| (text, SecretRef::Env as fn(String) -> SecretRef));
    let files = files.iter().map(|text| (text, SecretRef::File as fn(String) -> SecretRef));
    let mut secrets = Map::new();
    for (text, place) in names.chain(files) {
        let (label, at) = text.split_once('=').unwrap_or(("current", text));
        let secret = place(at.to_owned()).read(&session.env)?;
        if secrets.insert(label.to_owned(), secret.expose().into()).is_some() {
            return Err(Error::configuration(format!("two secrets are called {label}"))
                .advise("give each a label of its own: --secret-env new=NAME"));
        }
    }
    Ok(secrets)
}
