//! What is set up in a gateway, each by its name: one way to list, show, change and remove endpoints, sources and all the others.

use clap::Args as ClapArgs;
use nuncio_client::{Answer, Call, Client, Error};
use nuncio_service::{Env, Scope, Template, read_yaml, suggest};
use serde_json::{Map, Value};

use super::list::{self, Column};
use super::{GatewayArgs, advise, segment};
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::{stderr, values};

/// One kind of settings.
pub(crate) struct Settings {
    /// What one of them is called.
    pub(crate) word: &'static str,
    /// Where the API has them.
    pub(crate) path: &'static str,
    /// What a table of them shows.
    pub(crate) columns: &'static [Column],
}

/// One of them.
#[derive(Debug, ClapArgs)]
pub(crate) struct Named {
    /// Its name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) gateway: GatewayArgs,
}

impl Settings {
    pub(crate) async fn list(&self, session: &Session, gateway: &GatewayArgs) -> Result<(), Stop> {
        let items = self.all(&gateway.client(session)?).await?;
        list::write(session, &items, self.columns)
    }

    /// Writes one with its state, secrets blanked.
    pub(crate) async fn show(&self, session: &Session, named: &Named) -> Result<(), Stop> {
        let client = named.gateway.client(session)?;
        let call = client.get(self.place(&named.name)?);
        Output::new(None)?.body(&self.send(&client, &named.name, call).await?)
    }

    /// Sets one up, or changes it: what a draft does not name stays as it is, unless the draft is a whole file.
    pub(crate) async fn set(&self, session: &Session, named: &Named, draft: Draft) -> Result<(), Stop> {
        let client = named.gateway.client(session)?;
        let place = self.place(&named.name)?;
        let mut settings = match draft.whole {
            Some(whole) => whole,
            None => self.current(&client, &place).await?,
        };
        draft.changes.into_iter().for_each(|change| change.make(&mut settings));
        let answer = client.put(place).json(&settings).send().await.map_err(advise)?;
        let done =
            if answer.status == http::StatusCode::CREATED { "is set up" } else { "is as it was given" };
        stderr::line(&format!("nuncio: {} {} {done}", self.word, named.name));
        if session.global.json {
            Output::new(None)?.body(&answer)?;
        }
        Ok(())
    }

    pub(crate) async fn delete(&self, session: &Session, named: &Named) -> Result<(), Stop> {
        let client = named.gateway.client(session)?;
        let call = client.delete(self.place(&named.name)?);
        self.send(&client, &named.name, call).await?;
        stderr::line(&format!("nuncio: {} {} is removed", self.word, named.name));
        Ok(())
    }

    /// The path of one.
    pub(crate) fn place(&self, name: &str) -> Result<String, Error> {
        Ok(format!("{}/{}", self.path, segment(name)?))
    }

    /// What is answered to a call about one. Where there is none of this name, the nearest is told.
    pub(crate) async fn send(&self, client: &Client, name: &str, call: Call) -> Result<Answer, Error> {
        let error = match call.send().await {
            Ok(answer) => return Ok(answer),
            Err(error) => advise(error),
        };
        if error.status() != Some(http::StatusCode::NOT_FOUND) {
            return Err(error);
        }
        let known = self.all(client).await.unwrap_or_default();
        let names = known.iter().filter_map(|item| item["name"].as_str());
        Err(match suggest(name, names) {
            Some(near) => error.advise(format!("did you mean {near}?")),
            None if known.is_empty() => error.advise(format!("no {} is set up yet", self.word)),
            None => error,
        })
    }

    /// What the API tells of one.
    pub(crate) async fn find(&self, client: &Client, name: &str) -> Result<Value, Error> {
        self.send(client, name, client.get(self.place(name)?)).await?.value()
    }

    /// All of them.
    pub(crate) async fn all(&self, client: &Client) -> Result<Vec<Value>, Error> {
        list::all(|| client.get(self.path)).await
    }

    /// What is set up under this name, if anything.
    async fn current(&self, client: &Client, place: &str) -> Result<Value, Error> {
        match client.get(place).send().await {
            Ok(answer) => Ok(answer.value()?["settings"].take()),
            Err(error) if error.status() == Some(http::StatusCode::NOT_FOUND) => {
                Ok(Value::Object(Map::new()))
            }
            Err(error) => Err(advise(error)),
        }
    }
}

/// What is to be set up.
#[derive(Default)]
pub(crate) struct Draft {
    whole: Option<Value>,
    changes: Vec<Change>,
}

/// One setting: where it stands, and what it becomes.
struct Change(&'static [&'static str], Value);

impl Draft {
    /// All that `file` says, if there is one; `-` is standard input. `{{ env.NAME }}` in it stands for a variable of the environment, as it does in
    /// the config file of a gateway.
    pub(crate) fn of(file: Option<&str>, env: &Env) -> Result<Self, Error> {
        let Some(file) = file else { return Ok(Self::default()) };
        let mut whole: Value = read_yaml(&values::read_text(file)?, file, |whole: &Value, tell| {
            if !whole.is_object() {
                tell(&[], "settings are keys with values".to_owned());
            }
        })?;
        fill(&mut whole, env)?;
        Ok(Self { whole: Some(whole), changes: Vec::new() })
    }

    /// With this setting too, if it is given. What stands above it in the settings is made.
    pub(crate) fn with(mut self, place: &'static [&'static str], value: Option<impl Into<Value>>) -> Self {
        self.changes.extend(value.map(|value| Change(place, value.into())));
        self
    }

    /// With this list, unless it is empty.
    pub(crate) fn with_list(self, place: &'static [&'static str], list: Vec<String>) -> Self {
        self.with(place, (!list.is_empty()).then_some(list))
    }
}

impl Change {
    fn make(self, settings: &mut Value) {
        let Self(place, value) = self;
        let target = place.iter().fold(settings, |at, step| {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            &mut at[*step]
        });
        *target = value;
    }
}

/// Puts variables of the environment where their templates stand. Other templates are for the gateway.
fn fill(value: &mut Value, env: &Env) -> Result<(), Error> {
    match value {
        Value::String(text) => {
            let Ok(template) = text.parse::<Template>() else { return Ok(()) };
            let variables = template.variables();
            if !variables.is_empty() && variables.iter().all(|name| name.starts_with("env.")) {
                template.secret(&Scope::new(env))?.expose().clone_into(text);
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| fill(item, env)),
        Value::Object(members) => members.values_mut().try_for_each(|member| fill(member, env)),
        _ => Ok(()),
    }
}
