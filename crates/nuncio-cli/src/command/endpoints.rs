//! `nuncio endpoints`: to whom a gateway delivers.

use clap::{Args as ClapArgs, Subcommand};
use nuncio_client::Error;
use serde_json::json;

use crate::exit::Stop;
use crate::gateway::{Draft, GatewayArgs, Named, Settings};
use crate::output::Output;
use crate::secret_ref::SecretRef;
use crate::session::Session;
use crate::stderr;

const EXAMPLES: &str = "\
Examples:
  nuncio endpoints list
  nuncio endpoints set billing --from source/shop --types 'charge.*' --url https://billing.example.com/hooks --secret-env BILLING_SECRET
  nuncio endpoints set billing --rate 10/s
  nuncio endpoints set billing --file billing.yaml
  nuncio endpoints disable billing --reason 'moves to another host'
  nuncio endpoints rotate-secret billing";

pub(super) const ENDPOINTS: Settings = Settings {
    word: "endpoint",
    path: "/v1/endpoints",
    columns: &[
        ("name", "/name"),
        ("from", "/settings/from"),
        ("managed by", "/managed_by"),
        ("failing since", "/status/failing_since"),
        ("disabled", "/status/disabled_because"),
    ],
};

/// Set up, list, show, disable, enable and remove the endpoints of a gateway
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
    Show(Named),
    Set(Box<SetCommand>),
    /// Deliver to an endpoint again, what it is owed too
    Enable(Named),
    /// Deliver nothing to an endpoint; what is owed to it waits
    Disable {
        #[command(flatten)]
        named: Named,
        /// Why, in words. Default: by the API
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    RotateSecret(RotateCommand),
    /// Remove an endpoint, and what is owed to it
    Delete(Named),
}

impl EndpointsCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        match self.action {
            Action::List(gateway) => ENDPOINTS.list(session, &gateway).await,
            Action::Show(named) => ENDPOINTS.show(session, &named).await,
            Action::Set(command) => command.run(session).await,
            Action::Enable(named) => {
                let client = named.gateway.client(session)?;
                let call = client.post(format!("{}/enable", ENDPOINTS.place(&named.name)?));
                ENDPOINTS.send(&client, &named.name, call).await?;
                stderr::line(&format!("nuncio: {} is delivered to", named.name));
                Ok(())
            }
            Action::Disable { named, reason } => {
                let client = named.gateway.client(session)?;
                let call = client.post(format!("{}/disable", ENDPOINTS.place(&named.name)?));
                ENDPOINTS.send(&client, &named.name, call.json(&json!({ "reason": reason }))).await?;
                stderr::line(&format!("nuncio: nothing is delivered to {}", named.name));
                Ok(())
            }
            Action::RotateSecret(command) => command.run(session).await,
            Action::Delete(named) => ENDPOINTS.delete(session, &named).await,
        }
    }
}

/// Set up an endpoint, or change what is given here of one that is set up
#[derive(Debug, ClapArgs)]
struct SetCommand {
    #[command(flatten)]
    named: Named,
    /// All its settings, as a config file has them below its name, in YAML or JSON; - for standard input. What is not in it goes back to its
    /// default. {{ env.NAME }} stands for a variable of the environment
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Whose events: source/NAME, application/NAME or relay
    #[arg(long, value_name = "ORIGIN")]
    from: Option<String>,
    /// Events of these types, with * for any characters. Default: all
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    /// To this URL, by POST
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Environment variable with the secret that it is signed with (whsec_… or whsk_…); several while it is rotated, the newest first
    #[arg(long, value_name = "NAME")]
    secret_env: Vec<String>,
    /// File with the secret; a line end behind it does not count
    #[arg(long, value_name = "FILE")]
    secret_file: Vec<String>,
    /// jq expression that must hold over {id, type, headers, body}
    #[arg(long, value_name = "JQ")]
    filter: Option<String>,
    /// jq expression; events for which it gives the same go one after the other
    #[arg(long, value_name = "JQ")]
    order_by: Option<String>,
    /// jq expression that makes what is sent. Default: the body, byte for byte
    #[arg(long, value_name = "JQ")]
    transform: Option<String>,
    /// How many attempts may begin in some time, such as 10/s. Default: no bound
    #[arg(long, value_name = "RATE")]
    rate: Option<String>,
    /// How many attempts may be under way. Default: 32
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
    /// How long one attempt may take, such as 10s. Default: 30s
    #[arg(long, value_name = "TIME")]
    attempt_timeout: Option<String>,
}

impl SetCommand {
    async fn run(self, session: &Session) -> Result<(), Stop> {
        let secrets = secrets(session, self.secret_env, self.secret_file)?;
        let draft = Draft::of(self.file.as_deref(), &session.env)?
            .with(&["from"], self.from)
            .with_list(&["types"], self.types)
            .with(&["to", "http", "url"], self.url)
            .with_list(&["to", "http", "secrets"], secrets)
            .with(&["filter", "jq"], self.filter)
            .with(&["order_by"], self.order_by)
            .with(&["transform"], self.transform)
            .with(&["delivery", "rate"], self.rate)
            .with(&["delivery", "concurrency"], self.concurrency)
            .with(&["delivery", "timeout"], self.attempt_timeout);
        ENDPOINTS.set(session, &self.named, draft).await
    }
}

fn secrets(session: &Session, names: Vec<String>, files: Vec<String>) -> Result<Vec<String>, Error> {
    let places = names.into_iter().map(SecretRef::Env).chain(files.into_iter().map(SecretRef::File));
    places.map(|place| Ok(place.read(&session.env)?.expose().to_owned())).collect()
}

/// Sign with a new secret beside those there are, and write it; --end drops the old
#[derive(Debug, ClapArgs)]
struct RotateCommand {
    #[command(flatten)]
    named: Named,
    /// The receiver knows the newest secret: sign with it alone
    #[arg(long)]
    end: bool,
    /// Environment variable with the new secret. Default: one is made
    #[arg(long, value_name = "NAME", conflicts_with_all = ["end", "secret_file"])]
    secret_env: Option<String>,
    /// File with the new secret
    #[arg(long, value_name = "FILE", conflicts_with = "end")]
    secret_file: Option<String>,
}

impl RotateCommand {
    async fn run(self, session: &Session) -> Result<(), Stop> {
        let client = self.named.gateway.client(session)?;
        let place = format!("{}/secrets", ENDPOINTS.place(&self.named.name)?);
        if self.end {
            ENDPOINTS.send(&client, &self.named.name, client.delete(place)).await?;
            stderr::line(&format!(
                "nuncio: {} gets events signed with the newest secret alone",
                self.named.name
            ));
            return Ok(());
        }
        let given = self.secret_env.into_iter().collect();
        let given = secrets(session, given, self.secret_file.into_iter().collect())?;
        let body = json!({ "secret": given.first() });
        let answer =
            ENDPOINTS.send(&client, &self.named.name, client.post(place).json(&body)).await?.value()?;
        if given.is_empty() {
            let mut output = Output::new(None)?;
            output.line(answer["secret"].as_str().unwrap_or_default())?;
            output.flush()?;
        }
        stderr::line(&format!(
            "nuncio: {0} gets events signed with the old and the new secret; when it knows the new one: nuncio endpoints \
             rotate-secret {0} --end",
            self.named.name
        ));
        Ok(())
    }
}
