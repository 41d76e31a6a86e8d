//! All that is set up, ready to be used. It is replaced whole when a setting changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use nuncio_client::Error;
use nuncio_service::Env;
use serde::de::DeserializeOwned;

use crate::Event;
use crate::deliver;
use crate::inbox::Source;
use crate::outbox::EventType;
use crate::route::Route;
use crate::route::subject::Subject;
use crate::schedule::Plan;
use crate::settings;
use crate::store::{Document, DocumentKind, Documents, Owed};

/// All that is set up, ready to be used.
#[derive(Debug, Default)]
pub struct Directory {
    /// How often the settings were changed before.
    pub revision: u64,
    /// Where webhooks come from.
    pub sources: BTreeMap<String, Arc<Source>>,
    /// Whose endpoints are told of events.
    pub applications: BTreeMap<String, settings::Application>,
    /// What applications tell of.
    pub event_types: BTreeMap<String, EventType>,
    /// Where events go.
    pub endpoints: BTreeMap<String, Arc<Endpoint>>,
    /// What is called at which times.
    pub schedules: BTreeMap<String, Arc<Plan>>,
}

/// Where events go, ready to be used.
#[derive(Debug)]
pub struct Endpoint {
    /// What was set up, with the values of the environment.
    pub settings: settings::Endpoint,
    /// Which events it is owed.
    pub route: Route,
    /// What the templates of its target may name.
    pub env: Env,
    /// The calls that its target consists of, if it does.
    pub(crate) steps: Vec<deliver::Step>,
}

impl Endpoint {
    /// The endpoint of these settings, whose templates may name variables of `env`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when they cannot be used.
    pub fn new(settings: settings::Endpoint, env: Env) -> Result<Self, Error> {
        deliver::check(&settings, &env)?;
        let steps = settings.to.operations().map_or_else(|| Ok(Vec::new()), deliver::Step::all)?;
        Ok(Self { route: Route::new(&settings)?, settings, env, steps })
    }
}

impl Directory {
    /// What `documents` set up. Those of a config file may name variables of `env`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) that names the document and what is wrong with it.
    pub fn new(documents: &Documents, env: &Env) -> Result<Self, Error> {
        let mut directory = Self { revision: documents.revision, ..Self::default() };
        for document in &documents.all {
            let named = |error: Error| error.during(format!("{} {}", document.kind, document.name));
            directory.add(document, env).map_err(named)?;
        }
        Ok(directory)
    }

    /// What is wrong with one document, whatever else there is.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) that says what is wrong, and does not name the document.
    pub fn check(document: &Document, env: &Env) -> Result<(), Error> {
        Self::default().add(document, env)
    }

    fn add(&mut self, document: &Document, env: &Env) -> Result<(), Error> {
        // What the API says is meant as it stands there: its callers may not read our environment.
        let env = Some(env).filter(|_| document.from_file);
        let name = document.name.clone();
        match document.kind {
            DocumentKind::Source => {
                let settings = read::<settings::Source>(document)?.resolve(env)?;
                self.sources.insert(name.clone(), Arc::new(Source::new(name, settings)?));
            }
            DocumentKind::Application => drop(self.applications.insert(name, read(document)?)),
            DocumentKind::EventType => drop(self.event_types.insert(name, EventType::new(read(document)?)?)),
            DocumentKind::Endpoint => {
                let settings = read::<settings::Endpoint>(document)?.resolve(env)?;
                let endpoint = Endpoint::new(settings, env.cloned().unwrap_or_default())?;
                self.endpoints.insert(name, Arc::new(endpoint));
            }
            DocumentKind::Schedule => {
                let settings = read::<settings::Schedule>(document)?.resolve(env)?;
                let plan = Plan::new(settings, env.cloned().unwrap_or_default())?;
                self.schedules.insert(name, Arc::new(plan));
            }
            DocumentKind::Token | DocumentKind::Job => {}
        }
        Ok(())
    }

    /// To whom `event` is owed, from now on.
    #[must_use]
    pub fn owed(&self, event: &Event, now: Timestamp) -> Vec<Owed> {
        let subject = Subject::new(event);
        let owed = |(name, endpoint): (&String, &Arc<Endpoint>)| {
            let claim = endpoint.route.claim(&subject)?;
            Some(Owed { endpoint: name.clone(), order_key: claim.order_key, due: now })
        };
        self.endpoints.iter().filter_map(owed).collect()
    }
}

fn read<T: DeserializeOwned>(document: &Document) -> Result<T, Error> {
    serde_json::from_value(document.value.clone()).map_err(|error| Error::configuration(error.to_string()))
}
