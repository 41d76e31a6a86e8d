//! `nuncio auth explain`: which credentials a call would carry, where they come from, and what would be signed. Nothing is sent.

use std::fmt::Write as _;

use clap::Args as ClapArgs;
use nuncio_client::auth::Step;
use nuncio_client::{Call, Error, Redactor, Request};
use nuncio_service::Service;
use serde_json::{Value, json};

use crate::args::CallOptions;
use crate::command::connections::state::State;
use crate::credentials::{Credentials, Origin};
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::{preview, target, values};

const EXAMPLES: &str = "\
Examples:
  nuncio auth explain stripe
  nuncio auth explain shop orders.create item=lamp --as test";

/// Show which credentials a call would carry, where they come from, when they expire, and what would be signed, but no secret; send nothing
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExplainCommand {
    /// The service
    service: String,
    /// An operation, whose request is shown and what would be signed of it
    operation: Option<String>,
    /// Its inputs: NAME=text, NAME:=json, NAME@file
    #[arg(value_name = "NAME=VALUE")]
    fields: Vec<String>,
    #[command(flatten)]
    options: CallOptions,
}

/// What a call of the operation would send.
struct Sends {
    request: Request,
    steps: Vec<Step>,
}

impl ExplainCommand {
    pub(crate) fn run(self, session: &Session) -> Result<(), Stop> {
        let service = session.catalog(self.options.service.file.as_deref())?.get(&self.service)?;
        let credentials = Credentials::find(session, &service, self.options.service.account.as_deref())?;
        let own = match &self.operation {
            Some(name) => service.operation(name)?.auth.as_ref(),
            None => None,
        };
        let auth = own.unwrap_or(&service.auth);
        let needed = auth.variables().into_iter();
        let variables: Vec<(String, Origin)> =
            needed.map(|name| (name.clone(), credentials.origin(&name))).collect();
        let sends = self.sends(session, &service)?;

        let state = credentials
            .connection()
            .map(|connection| State::of(connection, Some(&service), &session.env, session.clock.now()));
        let account = credentials.connection().map(|connection| connection.account.name());
        let mut output = Output::new(None)?;
        if session.global.json {
            let variables = variables.iter().map(|(name, origin)| {
                json!({ "name": name, "set": *origin != Origin::Nowhere, "from": origin.to_string() })
            });
            let object = json!({
                "service": service.service, "scheme": auth.name(), "account": account,
                "state": state.as_ref().map(State::object), "variables": variables.collect::<Vec<_>>(),
                "operation": self.operation, "request": sends.as_ref().map(|sends| preview::object(&sends.request)),
                "signed": sends.as_ref().map(|sends| signed(&sends.steps)),
            });
            output.line(&Redactor::global().redact(&object.to_string()))?;
        } else {
            let mut text = format!("service: {}\nscheme: {}\n", service.service, auth.name());
            let connection = account.zip(state).map(|(name, state)| format!("{name} ({state})"));
            let _ = writeln!(text, "connection: {}", connection.as_deref().unwrap_or("none is used"));
            for (name, origin) in &variables {
                let _ = writeln!(text, "{name}: {origin}");
            }
            if let Some(sends) = &sends {
                text.push_str(&in_words(sends));
            }
            output.line(Redactor::global().redact(&text).trim_end())?;
        }
        output.flush()
    }

    fn sends(&self, session: &Session, service: &Service) -> Result<Option<Sends>, Error> {
        let Some(operation) = &self.operation else { return Ok(None) };
        let connection = target::connect(session, &self.service, &self.options, session.observer())?;
        let call = || -> Result<Call, Error> {
            let inputs = values::inputs(service.operation(operation)?, values::parse(&self.fields)?)?;
            target::adjust(connection.call(operation, inputs)?, session, &self.options)
        };
        Ok(Some(Sends { request: call()?.preview()?, steps: call()?.explain()? }))
    }
}

fn signed(steps: &[Step]) -> Vec<Value> {
    steps.iter().map(|step| json!({ "name": step.name, "text": step.text })).collect()
}

fn in_words(sends: &Sends) -> String {
    let mut text = format!("\nsends:\n{}", indented(preview::text(&sends.request).trim_end()));
    if sends.steps.is_empty() {
        text.push_str("\nsigns nothing\n");
    }
    for Step { name, text: signed, .. } in &sends.steps {
        let _ = write!(text, "\n{name}:\n{}", indented(signed));
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n").collect()
}
