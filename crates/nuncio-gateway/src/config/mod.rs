//! The config file: how the gateway is reached, and what is set up.

mod check;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nuncio_client::wire::Cidr;
use nuncio_client::{Error, Redactor};
use nuncio_relay::store::{Document, DocumentKind};
use nuncio_relay::{Retention, settings};
use nuncio_service::{Env, MAX_FILE_BYTES, read_yaml};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::options::{Limits, Options, Tls};
use crate::token::{Scope, StoredToken};

pub(crate) use watch::Watch;

/// What `nuncio serve` reads: how it is reached, and what is set up. Settings from `tokens` on are taken over while it runs when the file changes; the
/// others need a restart. In secrets, `{{ env.NAME }}` stands for a variable of the environment.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    #[serde(skip)]
    path: PathBuf,
    /// Where it listens. Default: 127.0.0.1:8480.
    pub listen: Option<SocketAddr>,
    /// What webhooks are sent to, as the providers know it, such as `https://hooks.example.com`. Default: what each request says.
    pub public_url: Option<String>,
    /// The file in which all is kept. Default: relay.db in the folder for data.
    pub store: Option<PathBuf>,
    /// The certificate. Default: none, and plain HTTP.
    pub tls: Option<Tls>,
    /// The networks of proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed, as CIDRs. Default: none.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<Cidr>,
    /// Bounds on what strangers may take up.
    pub limits: Limits,
    /// How long events are kept.
    pub retention: Retention,
    /// Tokens for the API, by name.
    pub tokens: BTreeMap<String, TokenConfig>,
    /// Where webhooks come from, by name.
    pub sources: BTreeMap<String, settings::Source>,
    /// Whose endpoints are told of events, by name.
    pub applications: BTreeMap<String, settings::Application>,
    /// What applications tell of, by type.
    pub event_types: BTreeMap<String, settings::EventType>,
    /// Where events go, by name.
    pub endpoints: BTreeMap<String, settings::Endpoint>,
    /// What is called at which times, by name.
    pub schedules: BTreeMap<String, settings::Schedule>,
}

/// A token for the API. One of `token` and `sha256` is given.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// It, at least 16 characters.
    pub token: Option<settings::SecretText>,
    /// Its SHA-256 in hexadecimal digits, as `printf %s TOKEN | sha256sum` writes it.
    pub sha256: Option<String>,
    /// What it is for.
    pub scopes: BTreeSet<Scope>,
}

/// The JSON Schema of the config file (draft 2020-12), for editors. `docs/relay.schema.json` is its committed form.
#[must_use]
pub fn config_schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

impl Config {
    /// Reads a config file.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when it cannot be read, or with the place of every mistake.
    pub fn read(path: &Path, env: &Env) -> Result<Self, Error> {
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES as u64 + 1).read_to_string(&mut text))
            .map_err(|error| {
                Error::configuration(format!("{} cannot be read", path.display())).because(error)
            })?;
        let read = Self::from_yaml(&text, &path.display().to_string(), env)?;
        Ok(Self { path: path.to_owned(), ..read })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what stands in a config file that is called `name`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) with the place of every mistake.
    pub fn from_yaml(text: &str, name: &str, env: &Env) -> Result<Self, Error> {
        read_yaml(text, name, |config, tell| check::check(config, env, tell))
    }

    /// The options that it names; the others have their defaults.
    #[must_use]
    pub fn options(&self) -> Options {
        let defaults = Options::default();
        Options {
            listen: self.listen.unwrap_or(defaults.listen),
            public_url: self.public_url.clone(),
            tls: self.tls.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            limits: self.limits.clone(),
            retention: self.retention.clone(),
            config: Some(self.clone()),
            ..defaults
        }
    }

    /// What is set up.
    pub(crate) fn documents(&self, env: &Env) -> Result<Vec<Document>, Error> {
        let mut documents = self.settings()?;
        for (name, token) in &self.tokens {
            documents.push(document(DocumentKind::Token, name, &token.stored(env)?)?);
        }
        Ok(documents)
    }

    /// What is set up, but for tokens.
    fn settings(&self) -> Result<Vec<Document>, Error> {
        let sources = documents(DocumentKind::Source, &self.sources);
        let applications = documents(DocumentKind::Application, &self.applications);
        let event_types = documents(DocumentKind::EventType, &self.event_types);
        let endpoints = documents(DocumentKind::Endpoint, &self.endpoints);
        let schedules = documents(DocumentKind::Schedule, &self.schedules);
        sources.chain(applications).chain(event_types).chain(endpoints).chain(schedules).collect()
    }

    /// What only holds from the next start.
    fn until_restart(&self) -> Self {
        Self {
            tokens: BTreeMap::new(),
            sources: BTreeMap::new(),
            applications: BTreeMap::new(),
            event_types: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            schedules: BTreeMap::new(),
            ..self.clone()
        }
    }
}

impl TokenConfig {
    fn stored(&self, env: &Env) -> Result<StoredToken, Error> {
        match (&self.token, &self.sha256) {
            (Some(token), None) => {
                let token = token.resolve(env)?;
                Redactor::global().register(token.expose());
                StoredToken::new(token.expose(), self.scopes.clone(), None)
            }
            (None, Some(sha256)) => StoredToken::hashed(sha256, self.scopes.clone()),
            _ => Err(Error::configuration("a token is given as `token` or as `sha256`")),
        }
    }
}

fn documents<T: Serialize>(
    kind: DocumentKind,
    all: &BTreeMap<String, T>,
) -> impl Iterator<Item = Result<Document, Error>> {
    all.iter().map(move |(name, settings)| document(kind, name, settings))
}

fn document(kind: DocumentKind, name: &str, value: &impl Serialize) -> Result<Document, Error> {
    let value = serde_json::to_value(value)
        .map_err(|error| Error::configuration(format!("{kind} {name}: {error}")))?;
    Ok(Document { kind, name: name.to_owned(), from_file: true, value })
}
