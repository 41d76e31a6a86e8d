//! `nuncio services`: what can be called.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use nuncio_service::model::{Target, Webhooks};
use nuncio_service::{Catalog, Operation, Service};
use nuncio_webhook::SchemeRef;
use serde_json::{Value, json};

use crate::exit::{self, Stop};
use crate::output::Output;
use crate::session::Session;
use crate::stderr;
use crate::verdict::counted;

/// Show which services there are and what they can do, and check service files
#[derive(Debug, ClapArgs)]
pub(crate) struct ServicesCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the services that can be called by name
    List,
    /// Show the operations of a service, or the inputs of one of them
    Show {
        service: String,
        operation: Option<String>,
        /// Service file to add to the catalog
        #[arg(long, value_name = "SERVICE.yaml")]
        file: Option<PathBuf>,
    },
    /// Check service files and tell all mistakes with their places
    Validate {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

impl ServicesCommand {
    pub(crate) fn run(self, session: &Session) -> Result<(), Stop> {
        let as_json = session.global.json;
        let mut output = Output::new(None)?;
        match self.action {
            Action::List => list(&session.catalog(None)?, as_json, &mut output)?,
            Action::Show { service, operation, file } => {
                let service = session.catalog(file.as_deref())?.get(&service)?;
                match operation {
                    Some(name) => show_operation(&name, service.operation(&name)?, as_json, &mut output)?,
                    None => show_service(&service, as_json, &mut output)?,
                }
            }
            Action::Validate { files } => return validate(&files, as_json, &mut output),
        }
        output.flush()
    }
}

fn list(catalog: &Catalog, as_json: bool, output: &mut Output) -> Result<(), Stop> {
    let mut objects = Vec::new();
    for (name, origin) in catalog.iter() {
        let service = catalog.get(name);
        // One file with mistakes does not hide the others.
        let about = match &service {
            Ok(service) => service.about.clone().unwrap_or_default(),
            Err(error) => format!("({error})"),
        };
        if as_json {
            let operations = service.ok().map(|service| service.operations.len());
            objects.push(json!({
                "service": name, "about": about, "origin": origin.to_string(), "operations": operations,
            }));
        } else {
            output.line(format!("{name:<16} {about}").trim_end())?;
        }
    }
    if as_json { output.line(&Value::from(objects).to_string()) } else { Ok(()) }
}

fn show_service(service: &Service, as_json: bool, output: &mut Output) -> Result<(), Stop> {
    if as_json {
        let operations: Vec<Value> =
            service.operations.iter().map(|(name, operation)| operation_object(name, operation)).collect();
        let object = json!({
            "service": service.service, "about": service.about, "docs": service.docs,
            "base_url": service.base_url.source(), "webhooks": service.webhooks.as_ref().map(webhooks_object),
            "operations": operations,
        });
        return output.line(&object.to_string());
    }
    output.line(&format!("{}: {}", service.service, service.about.as_deref().unwrap_or("no description")))?;
    output.line(&format!("base URL: {}", service.base_url.source()))?;
    if let Some(docs) = &service.docs {
        output.line(&format!("docs: {docs}"))?;
    }
    if let Some(Webhooks { scheme, secret, .. }) = &service.webhooks {
        let scheme = provider_name(scheme).unwrap_or("a scheme of its own");
        output.line(&format!("webhooks: {scheme}, secret {}", secret.source()))?;
    }
    output.line("")?;
    let width = service.operations.keys().map(String::len).max().unwrap_or_default();
    for (name, operation) in &service.operations {
        let about = operation.about.as_deref().unwrap_or_default();
        output.line(format!("{name:<width$}  {about}").trim_end())?;
    }
    Ok(())
}

fn webhooks_object(webhooks: &Webhooks) -> Value {
    let settings: Vec<&str> = webhooks.settings.keys().map(String::as_str).collect();
    json!({
        "provider": provider_name(&webhooks.scheme), "scheme": webhooks.scheme.scheme(),
        "secret": webhooks.secret.source(), "settings": settings,
        "previous_secret": webhooks.previous_secret.as_ref().map(|secret| secret.source()),
    })
}

/// The name of the provider whose scheme it is, unless it is written out.
fn provider_name(scheme: &SchemeRef) -> Option<&str> {
    match scheme {
        SchemeRef::Provider(name) => Some(name),
        SchemeRef::Own(_) => None,
    }
}

fn show_operation(name: &str, operation: &Operation, as_json: bool, output: &mut Output) -> Result<(), Stop> {
    if as_json {
        return output.line(&operation_object(name, operation).to_string());
    }
    output.line(&format!("{name}: {}", operation.about.as_deref().unwrap_or("no description")))?;
    output.line(&sends(operation))?;
    if let Some(docs) = &operation.docs {
        output.line(&format!("docs: {docs}"))?;
    }
    if !operation.input.is_empty() {
        output.line("")?;
    }
    let width = operation.input.keys().map(String::len).max().unwrap_or_default();
    for (input, described) in &operation.input {
        let needed = if operation.requires(input) { " (required)" } else { "" };
        let about = described.about.as_deref().map(|about| format!("  {about}")).unwrap_or_default();
        output.line(&format!("{input:<width$}  {}{needed}{about}", described.kind.name()))?;
    }
    Ok(())
}

fn operation_object(name: &str, operation: &Operation) -> Value {
    let inputs = operation.input.iter().map(|(input, described)| {
        json!({
            "name": input, "type": described.kind.name(), "required": operation.requires(input),
            "default": described.default, "about": described.about, "schema": described.json_schema(),
        })
    });
    json!({
        "operation": name, "about": operation.about, "docs": operation.docs, "sends": sends(operation),
        "is_list": operation.records.is_some(), "inputs": inputs.collect::<Vec<_>>(),
    })
}

fn sends(operation: &Operation) -> String {
    match operation.target() {
        Some(Target::Http { method, path }) => format!("{method} {path}"),
        Some(Target::GraphQl { query }) => query.trim().to_owned(),
        None => String::new(),
    }
}

fn validate(files: &[PathBuf], as_json: bool, output: &mut Output) -> Result<(), Stop> {
    let mut failed = false;
    for file in files {
        match Catalog::read(file) {
            Ok(service) => {
                let operations = counted(service.operations.len() as u64, "operation");
                output.line(&format!("{}: {} with {operations}", file.display(), service.service))?;
            }
            Err(error) => {
                failed = true;
                stderr::report(&error, as_json);
            }
        }
    }
    output.flush()?;
    if failed { Err(Stop::Told(exit::LOCAL)) } else { Ok(()) }
}
