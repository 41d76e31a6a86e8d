//! `nuncio webhook verify`: whether a webhook is genuine.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args as ClapArgs;
use nuncio_client::{Error, Redactor};
use nuncio_webhook::{
    Explanation, Keys, PublishedKey, Refusal, Request, Secrets, explain, handshake, verify,
};
use serde_json::{Value, json};

use super::headers;
use super::keys::fetch;
use super::options::{RequestOptions, SecretOptions};
use super::refused::{advice, is_ours};
use super::source::Source;
use super::verdict::{Event, Outcome};
use crate::exit::{self, Stop};
use crate::output::Output;
use crate::session::Session;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  nuncio webhook verify stripe --secret-env STRIPE_WEBHOOK_SECRET -H \"Stripe-Signature: $signature\" --body-file body.json
  nuncio webhook verify github --secret-file secret.txt -H @headers.txt --body-file - --at 1760000000 --explain < body.json
  nuncio webhook verify twilio --secret-env TWILIO_AUTH_TOKEN --url https://shop.example.com/sms -H @headers.txt --body-file form.txt
  nuncio webhook verify ./services/shop.yaml -H @headers.txt --body-file body.json --json

Exit code 0: it is genuine. 15: it is not. 1: what was given is not enough for a verdict. 2: the command line is wrong.";

/// Say whether a webhook is genuine, and what to answer to a handshake; nothing is sent, unless by --fetch-keys
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyCommand {
    /// Who sent it: a provider (`nuncio webhook providers`), or the path of a scheme file or of a service file with webhooks
    provider: String,
    #[command(flatten)]
    secrets: SecretOptions,
    /// File with what the provider has where it publishes its key: PayPal and SNS a certificate, Google a key set, Plaid the answer of its API.
    /// The refusal says where that is
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    published_key_file: Option<String>,
    /// Fetch the key that the provider publishes, from its own hosts alone
    #[arg(long, conflicts_with = "published_key_file", help_heading = "Secrets")]
    fetch_keys: bool,
    #[command(flatten)]
    request: RequestOptions,
    /// URL as the provider has it, with the query that it added; only some schemes sign it
    #[arg(long, value_name = "URL", help_heading = "Request")]
    url: Option<String>,
    /// Header that arrived; may be given several times; @FILE has one on each line
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", help_heading = "Request")]
    headers: Vec<OsString>,
    /// Show what was read, what was signed with invisible characters made visible, which signature each secret makes, and what probably went
    /// wrong; no secret. Whoever reads it can send this very request as genuine
    #[arg(long)]
    explain: bool,
}

impl VerifyCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let source = Source::find(&self.provider)?;
        let mut secrets = self.secrets.read(&source, session)?;
        if let Some(path) = &self.published_key_file {
            secrets = secrets.keys(Arc::new(Fetched(values::read_bytes(path)?.into())));
        }
        if self.url.is_none() && source.reads_url() {
            return Err(Error::configuration(format!("{} signs the URL, and none is given", source.title))
                .advise("give it with --url as it was typed in at the provider, with the query")
                .into());
        }
        let headers = headers::parse(&self.headers)?;
        let body = self.request.body()?;
        let (method, url) = (self.request.method(), self.url.as_deref().unwrap_or_default());
        let request = Request { method: &method, url, headers: &headers, body: &body };
        let now = self.request.now(session);
        let mut outcome = judge(&source, &request, &secrets, now);
        if self.fetch_keys
            && let Outcome::Refused(Refusal::KeyNeeded { key }) = &outcome
        {
            secrets = secrets.keys(Arc::new(Fetched(fetch(key, session).await?)));
            outcome = judge(&source, &request, &secrets, now);
        }
        // A handshake is often not signed.
        let explanation = (self.explain && !matches!(outcome, Outcome::Handshake(_)))
            .then(|| explain(&source.scheme, &request, &secrets, now));

        let text = match session.global.json {
            true => object(&source, &outcome, explanation.as_ref()).to_string(),
            false => in_words(&source, &outcome, explanation.as_ref(), self.request.body_file.is_none()),
        };
        let mut output = Output::new(None)?;
        let Outcome::Refused(refusal) = &outcome else {
            output.line(Redactor::global().redact(text.trim_end()).as_ref())?;
            return output.flush();
        };
        if !is_ours(refusal) {
            output.line(Redactor::global().redact(text.trim_end()).as_ref())?;
            output.flush()?;
            return Err(Stop::Told(exit::NOT_GENUINE));
        }
        if let Some(explanation) = explanation {
            output.line(Redactor::global().redact(steps(&explanation).trim_end()).as_ref())?;
            output.flush()?;
        }
        let error = Error::configuration(refusal.to_string());
        Err(match advice(refusal) {
            Some(advice) => error.advise(advice),
            None => error,
        }
        .into())
    }
}

/// What the provider has, wherever that is: the scheme says what the place may be.
struct Fetched(Arc<[u8]>);

impl Keys for Fetched {
    fn find(&self, _key: &PublishedKey, _now: SystemTime) -> Option<Arc<[u8]>> {
        Some(self.0.clone())
    }
}

fn judge<'a>(source: &'a Source, request: &Request<'a>, secrets: &'a Secrets, now: SystemTime) -> Outcome {
    match handshake(&source.scheme, request, secrets, now) {
        Ok(Some(answer)) => return Outcome::Handshake(answer),
        Err(refusal) => return Outcome::Refused(refusal),
        Ok(None) => {}
    }
    match verify(&source.scheme, request, secrets, now) {
        Ok(event) => Outcome::Genuine(Event::new(&event, now)),
        Err(refusal) => Outcome::Refused(refusal),
    }
}

fn in_words(source: &Source, outcome: &Outcome, explanation: Option<&Explanation>, no_body: bool) -> String {
    let mut text = outcome.in_words(&source.title, source.scheme.reply.as_ref());
    if let Outcome::Refused(refusal) = outcome {
        if let Some(help) = help(refusal, explanation) {
            let _ = writeln!(text, "help: {help}");
        }
        if no_body {
            let _ = writeln!(text, "note: without --body-file the body is empty");
        }
    }
    if let Some(explanation) = explanation {
        let _ = write!(text, "\n{}", steps(explanation));
    }
    text
}

/// What to do, unless it was done.
fn help(refusal: &Refusal, explanation: Option<&Explanation>) -> Option<&'static str> {
    advice(refusal).filter(|advice| explanation.is_none() || !advice.starts_with("--explain"))
}

/// The explanation without its verdict, which was told.
fn steps(explanation: &Explanation) -> String {
    let text = explanation.to_string();
    text.split_once('\n').map(|(_, steps)| steps.to_owned()).unwrap_or_default()
}

fn object(source: &Source, outcome: &Outcome, explanation: Option<&Explanation>) -> Value {
    let mut object = outcome.object();
    object["provider"] = source.title.as_str().into();
    if let Outcome::Refused(refusal) = outcome {
        object["help"] = help(refusal, explanation).into();
    }
    if let Some(explanation) = explanation {
        object["explanation"] = explained(explanation);
    }
    object
}

fn explained(explanation: &Explanation) -> Value {
    let read = explanation.read.iter().map(|reading| match &reading.value {
        Ok(value) => json!({ "place": reading.place, "value": value }),
        Err(refusal) => json!({ "place": reading.place, "refusal": refusal.name() }),
    });
    let attempts = explanation.attempts.iter().map(|attempt| {
        json!({
            "secret": attempt.secret, "algorithm": attempt.algorithm, "signed": attempt.signed,
            "expected": attempt.expected, "matches": attempt.matches,
        })
    });
    let causes = explanation.causes.iter().map(ToString::to_string);
    json!({
        "read": read.collect::<Vec<_>>(), "attempts": attempts.collect::<Vec<_>>(), "causes": causes.collect::<Vec<_>>(),
    })
}
