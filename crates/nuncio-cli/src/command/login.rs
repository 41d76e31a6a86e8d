//! `nuncio login`: credentials come into the store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args as ClapArgs;
use nuncio_client::auth::Exchange;
use nuncio_client::auth::oauth2::Tokens;
use nuncio_client::auth::oauth2::login::Loopback;
use nuncio_client::{Error, Secret};
use nuncio_credentials::{Account, CredentialStore};
use nuncio_service::{Login, Service};
use serde_json::json;

use crate::args::ServiceOptions;
use crate::credentials;
use crate::exit::Stop;
use crate::session::Session;
use crate::{browser, interrupt, prompt, stderr, target};

/// How long the browser is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

const EXAMPLES: &str = "\
Examples:
  nuncio login stripe
  nuncio login stripe --as test < test-key.txt
  printf 'SHOP_USER=ada\\nSHOP_PASSWORD=…' | nuncio login shop
  nuncio login calendar --device";

/// Store the credentials of an account; secrets are asked for, or read from standard input, and never stand on the command line
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LoginCommand {
    /// The service
    service: String,
    /// Log in with a code that is typed on another device, where the service allows it
    #[arg(long)]
    device: bool,
    /// Show the address of the login page, but do not open it
    #[arg(long)]
    no_browser: bool,
    /// Port on this machine that the browser comes back to. Default: the service file's, else one that is free
    #[arg(long, value_name = "N", conflicts_with = "device")]
    port: Option<u16>,
    #[command(flatten)]
    options: ServiceOptions,
}

impl LoginCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let service = session.catalog(self.options.file.as_deref())?.get(&self.service)?;
        let account = self.options.account_of(&self.service)?;
        // Before anything is asked for: a store that cannot be opened is no place for the answer.
        let store = credentials::store(session)?;
        let variables = self.variables(session, &service, &account, &store)?;
        let interrupted = interrupt::listen(None);
        let tokens = tokio::select! {
            tokens = self.log_in(session, &service, &variables) => tokens?,
            () = interrupted.came() => return Err(interrupted.stop()),
        };
        store.put(&account, &variables, tokens.as_ref())?;
        stderr::line(&format!("stored {account} in {}", store.path().display()));
        Ok(())
    }

    /// What is asked for: of a service that a person logs in to, only what is neither known from the last login nor set.
    fn variables(
        &self,
        session: &Session,
        service: &Service,
        account: &Account,
        store: &CredentialStore,
    ) -> Result<BTreeMap<String, Secret>, Error> {
        let needed = service.variables();
        if !service.auth.is_login() {
            return prompt::values(&needed);
        }
        let known = store.get(account)?.map(|connection| connection.variables).unwrap_or_default();
        let is_unknown = |name: &String| !known.contains_key(name) && session.env.get(name).is_none();
        let asked: BTreeSet<String> = needed.into_iter().filter(is_unknown).collect();
        Ok(known.into_iter().chain(prompt::values(&asked)?).collect())
    }

    async fn log_in(
        &self,
        session: &Session,
        service: &Service,
        variables: &BTreeMap<String, Secret>,
    ) -> Result<Option<Tokens>, Error> {
        if !service.auth.is_login() {
            return match self.device || self.no_browser || self.port.is_some() {
                true => Err(Error::configuration(format!(
                    "{} is called with `{}`: nobody logs in, neither here nor on another device",
                    self.service,
                    service.auth.name()
                ))
                .advise("leave --device, --no-browser and --port out")),
                false => Ok(None),
            };
        }
        let env = credentials::layered(variables, &session.env);
        let connection =
            target::connect_with(session, service.clone(), &self.options, env, None, session.observer())?;
        let login = connection.login()?.expect("a service that a person logs in to");
        let exchange = connection.client().exchange().observed_by(session.observer());
        let tokens = match self.device || (login.by_device && !self.no_browser && self.port.is_none()) {
            true => device(&login, &exchange, session).await?,
            false => self.browser(&login, &exchange, session).await?,
        };
        Ok(Some(tokens))
    }

    async fn browser(&self, login: &Login, exchange: &Exchange, session: &Session) -> Result<Tokens, Error> {
        let mut redirect_uri = login.redirect_uri.clone();
        if let Some(port) = self.port {
            redirect_uri.set_port(Some(port)).map_err(|()| {
                Error::configuration(format!("{redirect_uri} cannot have a port")).advise("leave --port out")
            })?;
        }
        let loopback = Loopback::bind(&redirect_uri).await?;
        let begun = login.client.begin_login(loopback.redirect_uri().as_str(), exchange).await?;
        let url = begun.url().as_str();
        if session.global.json {
            stderr::verbatim(&json!({ "login": { "url": url } }).to_string());
        } else {
            stderr::verbatim(&format!("log in at {url}"));
        }
        if !self.no_browser && !browser::open(url) && !session.global.json {
            stderr::line("no browser could be opened: open the address yourself, or log in with --device");
        }
        let redirected = loopback.receive(&begun, PATIENCE).await?;
        begun.finish(&redirected, exchange).await
    }
}

async fn device(login: &Login, exchange: &Exchange, session: &Session) -> Result<Tokens, Error> {
    let begun = login.client.begin_device_login(exchange).await?;
    let (url, code) = (begun.verification_uri(), begun.user_code());
    if session.global.json {
        let complete = begun.verification_uri_complete();
        stderr::verbatim(
            &json!({ "login": { "url": url, "code": code, "complete_url": complete } }).to_string(),
        );
    } else {
        stderr::verbatim(&format!("open {url} on any device and enter the code {code}"));
    }
    begun.finish(exchange).await
}
