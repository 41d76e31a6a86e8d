//! `nuncio webhook sign`: the headers of a webhook that is to be sent.

use clap::Args as ClapArgs;
use nuncio_client::{Error, Redactor};
use nuncio_webhook::{CannotSign, Outgoing, sign};
use serde_json::{Map, Value, json};

use super::options::{NameOptions, RequestOptions, SecretOptions};
use super::refused;
use super::source::Source;
use crate::exit::Stop;
use crate::output::Output;
use crate::preview::quote;
use crate::session::Session;
use crate::stderr;

const EXAMPLES: &str = "\
Examples:
  nuncio webhook sign standard-webhooks --secret-file secret.txt --id msg_1 --body-file event.json
  nuncio webhook sign stripe --secret-env STRIPE_WEBHOOK_SECRET --body-file event.json --curl http://localhost:8080/stripe | sh
  nuncio webhook sign svix --secret-env new=NEW_SECRET --secret-env old=OLD_SECRET --body-file event.json";

/// Write the headers that make a webhook genuine, or a curl command that sends it
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SignCommand {
    /// As whom: a provider (`nuncio webhook providers`), or the path of a scheme file or of a service file with webhooks
    provider: String,
    #[command(flatten)]
    secrets: SecretOptions,
    #[command(flatten)]
    request: RequestOptions,
    /// URL of the receiver; only some schemes sign it
    #[arg(long, value_name = "URL", help_heading = "Request")]
    url: Option<String>,
    #[command(flatten)]
    name: NameOptions,
    /// Write a curl command that sends the webhook to this URL
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    curl: Option<String>,
}

impl SignCommand {
    pub(crate) fn run(self, session: &Session) -> Result<(), Stop> {
        let source = Source::find(&self.provider)?;
        let secrets = self.secrets.read(&source, session)?;
        let url = self.curl.as_deref().or(self.url.as_deref());
        if url.is_none() && source.reads_url() {
            return Err(Error::configuration(format!("{} signs the URL, and none is given", source.title))
                .advise("give the one that the receiver has, with --url or --curl")
                .into());
        }
        let (method, body) = (self.request.method(), self.request.body()?);
        let outgoing = Outgoing {
            id: &self.name.id(),
            signed_at: self.request.now(session),
            method: &method,
            url: url.unwrap_or_default(),
            body: &body,
            content_type: self.name.content_type.as_deref(),
        };
        let headers = sign(&source.scheme, &outgoing, &secrets).map_err(|error| cannot(&error))?;

        let text = match &self.curl {
            Some(url) => self.command(url, &method, &headers, &body)?,
            None => listed(&headers, session.global.json),
        };
        let mut output = Output::new(None)?;
        output.line(text.trim_end())?;
        output.flush()
    }

    /// A command for a POSIX shell. A header that is the secret itself names its variable.
    fn command(
        &self,
        url: &str,
        method: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<String, Error> {
        let variable = self.secrets.only_variable();
        let mut parts = vec![format!("curl -X {} {}", quote(method, None), quote(url, None))];
        for (name, value) in headers {
            let header = format!("{name}: {}", Redactor::global().redact(value));
            if is_secret(value) && variable.is_none() {
                return Err(Error::configuration(format!(
                    "the header {name} is the secret itself, which is not shown"
                ))
                .advise("name the secret with a single --secret-env, and the command names the variable"));
            }
            parts.push(format!("-H {}", quote(&header, variable.filter(|_| is_secret(value)))));
        }
        let media = self.name.content_type(body);
        parts.extend(media.map(|media| format!("-H {}", quote(&format!("content-type: {media}"), None))));
        match (self.request.body_file.as_deref(), std::str::from_utf8(body)) {
            (None, _) => {}
            (Some(path), _) if path != "-" => {
                parts.push(format!("--data-binary {}", quote(&format!("@{path}"), None)));
            }
            // Not --data-binary, to which an @ would name a file.
            (_, Ok(text)) if !text.contains('\0') => parts.push(format!("--data-raw {}", quote(text, None))),
            _ => {
                return Err(Error::configuration("this body cannot stand in a command: it is not text")
                    .advise("write it to a file and name that with --body-file"));
            }
        }
        Ok(parts.join(" \\\n  "))
    }
}

pub(super) fn cannot(error: &CannotSign) -> Error {
    match error {
        CannotSign::Content(refusal) => {
            let advice = refused::advice(refusal).filter(|_| refused::is_ours(refusal));
            let told = Error::configuration(refusal.to_string());
            match advice {
                Some(advice) => told.advise(advice),
                None => told,
            }
        }
        _ => Error::configuration(error.to_string()).advise("it can be verified all the same"),
    }
}

fn is_secret(value: &str) -> bool {
    Redactor::global().redact(value) != value
}

fn listed(headers: &[(String, String)], as_json: bool) -> String {
    if headers.iter().any(|(_, value)| is_secret(value)) {
        stderr::line("nuncio: a header is the secret itself, which is not shown; --curl names its variable");
    }
    let shown = headers.iter().map(|(name, value)| (name, Redactor::global().redact(value)));
    if as_json {
        let headers: Map<String, Value> =
            shown.map(|(name, value)| (name.clone(), value.as_ref().into())).collect();
        return json!({ "headers": headers }).to_string();
    }
    shown.map(|(name, value)| format!("{name}: {value}\n")).collect()
}
